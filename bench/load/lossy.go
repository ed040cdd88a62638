package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"vesper/internal/client"
	"vesper/internal/fault"
)

// badLine is what each connection suffers: a slow uplink and a long way in both directions, and for some of them an end in the
// middle, by a reset or by bytes that no longer pass.
var badLine = []string{
	`{"name":"uplink","type":"bandwidth","stream":"upstream","toxicity":1,"attributes":{"rate":96}}`,
	`{"name":"far","type":"latency","stream":"upstream","toxicity":1,"attributes":{"latency":60,"jitter":40}}`,
	`{"name":"back","type":"latency","stream":"downstream","toxicity":1,"attributes":{"latency":60,"jitter":40}}`,
	`{"name":"reset","type":"reset_peer","stream":"upstream","toxicity":0.25,"attributes":{"timeout":2500}}`,
	`{"name":"dead","type":"limit_data","stream":"upstream","toxicity":0.25,"attributes":{"bytes":180000}}`,
}

// lossy opens a bad line to the server and returns its address.
func (s *stand) lossy() (string, error) {
	metrics := toxiproxy.NewMetricsContainer(nil)
	api := toxiproxy.NewServer(metrics, zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, "line", "127.0.0.1:0", strings.TrimPrefix(s.url, "http://"))
	if err := proxy.Start(); err != nil {
		return "", err
	}
	s.closers = append(s.closers, proxy.Stop)
	for _, toxic := range badLine {
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return "", err
		}
	}
	return proxy.Listen, nil
}

// runLossy lets many people upload one dictation of two minutes each at the same time over bad lines, and counts what they had
// to repeat. Every one must end with a receipt for exactly its bytes.
func runLossy(ctx context.Context, o options, r *report) error {
	say("lossy: %d uploads over bad lines", o.uploaders)
	s, err := raise(ctx, "")
	if err != nil {
		return err
	}
	defer s.close()
	address, err := s.lossy()
	if err != nil {
		return err
	}
	recordings, err := newClips(dictations, o.seed+2)
	if err != nil {
		return err
	}
	var (
		mu       sync.Mutex
		took     []time.Duration
		broken   atomic.Int64
		sent     atomic.Int64
		received = map[string]bool{}
		size     int
		people   []*client.Client
	)
	for i := range o.uploaders {
		// Logged in over a good line: what is measured is the upload.
		phone := &line{from: phone(i), sent: &sent}
		c, err := s.login(ctx, fmt.Sprintf("dr%d", i%physicians), phone)
		if err != nil {
			return err
		}
		phone.use(address)
		people = append(people, c)
	}
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range people {
		g.Go(func() error {
			recording := recordings.next()
			start := time.Now()
			got, tries, err := persist(ctx, c, recording)
			if err != nil {
				return fmt.Errorf("upload %d: %w", i, err)
			}
			broken.Add(int64(tries))
			mu.Lock()
			defer mu.Unlock()
			took, received[got.ID], size = append(took, time.Since(start)), true, len(recording)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if len(received) != o.uploaders {
		return fmt.Errorf("%d uploads became %d dictations", o.uploaders, len(received))
	}
	t := tableOf("", "n", "p50", "p95", "p99", "max")
	t.spread("from the first byte to the receipt", took)
	whole := float64(size) * float64(o.uploaders)
	r.section("Bad lines", fmt.Sprintf("%d people upload a dictation of two minutes (%d KB) at the same time, each over a line of 96 KB/s and 100 ms that a quarter "+
		"of the time is reset after 2.5 s and a quarter of the time goes silent after 180 KB. All receipts came within %s: %d dictations, none lost, none "+
		"double; %d requests broke and were taken up again where the server stood; %.2f times the recordings' bytes were sent.",
		o.uploaders, size/1000, time.Since(began).Round(time.Second), len(received), broken.Load(), float64(sent.Load())/whole), t)
	return nil
}

// persist uploads as an honest client does: it keeps its copy, and goes on where the server stands until it has the receipt.
func persist(ctx context.Context, c *client.Client, recording []byte) (got client.Receipt, tries int, err error) {
	var path string
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		if path == "" {
			path, err = c.Begin(ctx, "clip.mp3", int64(len(recording)), client.Submission{WorkType: "consult"})
		}
		if path != "" {
			if got, err = c.Resume(ctx, path, bytes.NewReader(recording), int64(len(recording)), nil); err == nil {
				return got, tries, nil
			}
		}
		if k := fault.KindOf(err); ctx.Err() != nil || k == fault.Forbidden || k == fault.NotFound || k == fault.TooLarge {
			return got, tries, err
		}
		tries++
		select {
		case <-ctx.Done():
			return got, tries, ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// line is a phone whose connections can be led over another address, and that gives up a request after a while without an
// answer.
type line struct {
	from
	sent *atomic.Int64
}

// use leads all further connections to an address, whatever the request says.
func (l *line) use(address string) {
	t := &http.Transport{
		MaxIdleConnsPerHost: 2, ResponseHeaderTimeout: 8 * time.Second,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &counted{Conn: c, sent: l.sent}, nil
		},
	}
	l.next.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // made by phone
	l.next = t
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) { return l.from.RoundTrip(r) }

// counted counts what is sent, and gives up a write that does not get on.
type counted struct {
	net.Conn
	sent *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(8 * time.Second)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}
