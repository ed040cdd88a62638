package nemesis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// link is one way from one process to one service; everything goes through links, so that each can be cut by itself.
type link struct {
	name  string
	proxy *toxiproxy.Proxy
}

// links is the network of one practice.
type links struct {
	server *toxiproxy.ApiServer
	all    []*link
}

func newLinks(t *testing.T) *links {
	l := &links{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	t.Cleanup(func() {
		for _, k := range l.all {
			k.proxy.Stop()
		}
	})
	return l
}

// to makes a link and returns the address at its near end.
func (l *links) to(t *testing.T, name, upstream string) string {
	t.Helper()
	p := toxiproxy.NewProxy(l.server, name, "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	l.all = append(l.all, &link{name, p})
	return p.Listen
}

// poison adds a toxic and returns how to take it away.
func (k *link) poison(kind, stream string, attributes map[string]any) (func(), error) {
	name := kind + "_" + stream
	raw, err := json.Marshal(map[string]any{"name": name, "type": kind, "stream": stream, "toxicity": 1, "attributes": attributes})
	if err != nil {
		return nil, err
	}
	if _, err := k.proxy.Toxics.AddToxicJson(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = k.proxy.Toxics.RemoveToxic(ctx, name) // it was added under this name just now
	}, nil
}

// down cuts every connection and takes no new ones until the returned func is called.
func (k *link) down() (up func() error) {
	k.proxy.Stop()
	return func() error {
		var err error
		for range 300 { // somebody's outgoing connection may have taken the port for a moment
			if err = k.proxy.Start(); err == nil {
				return nil
			}
			wait(context.Background(), 100*time.Millisecond)
		}
		return fmt.Errorf("link %s does not come back: %w", k.name, err)
	}
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
