package audio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// source is where a recording comes from.
type source struct {
	r        io.Reader
	path     string        // of the file, or "" for a stream
	size     int64         // of the file, or −1
	patience time.Duration // longest wall time for a decoder child
}

// decoding is one recording on its way into a PCM.
type decoding struct {
	opts   Options
	pcm    *PCM
	src    source
	cancel context.CancelFunc // ends the source and the child
	report Report
	facts  facts
	mix    *mixer
	loud   loudness
	scrap  []int16
}

func newDecoding(o Options, p *PCM, s source, cancel context.CancelFunc) *decoding {
	return &decoding{opts: o, pcm: p, src: s, cancel: cancel}
}

// run decodes everything and completes the PCM, whatever happens. outer is the caller's context, whose end explains any
// other error.
func (d *decoding) run(ctx, outer context.Context) error {
	err := d.decode(ctx)
	n := d.pcm.Samples()
	switch {
	case outer.Err() != nil:
		err = outer.Err()
	case err == nil && n == 0:
		err = errNoSound()
	}
	if d.mix != nil {
		kept := d.facts
		d.facts = d.mix.describe(&d.report)
		d.facts.bad, d.facts.unfinished, d.facts.damaged, d.facts.tracks = kept.bad, kept.unfinished, kept.damaged, kept.tracks
	}
	d.report.Seconds = float64(n) / Rate
	d.loud.into(&d.report)
	d.report.warn(d.facts)
	return d.pcm.finish(d.report, err)
}

func (d *decoding) decode(ctx context.Context) error {
	head := bufio.NewReaderSize(d.src.r, headBytes)
	c, err := sniff(head)
	if err != nil {
		return err
	}
	d.report.Container = c
	switch {
	case c == WAV:
		return d.wave(ctx, head)
	case c == OGG:
		pages := &oggPages{r: head}
		err := d.ffmpeg(ctx, c, pages, "")
		d.report.Truncated = d.report.Truncated || pages.cut()
		return err
	case piped(c, head):
		if c == MP3 {
			first, _ := head.Peek(min(lookBytes, head.Buffered()))
			d.report.Claimed = mp3Claim(first)
		}
		return d.ffmpeg(ctx, c, head, "")
	case d.src.path != "":
		return d.ffmpeg(ctx, c, nil, d.src.path)
	}
	dir, err := os.MkdirTemp(d.opts.TempDir, "vesper-stream-*")
	if err != nil {
		return errTempSpace(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "recording")
	if err := keep(head, path); err != nil {
		return err
	}
	return d.ffmpeg(ctx, c, nil, path)
}

// keep waits for the last byte of a recording that cannot be read in order.
func keep(r io.Reader, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return errTempSpace(err)
	}
	defer f.Close()
	from := &watched{r: r}
	if _, err := io.Copy(f, from); err != nil {
		if from.err != nil {
			return from.err
		}
		return errTempSpace(fmt.Errorf("keep recording: %w", err))
	}
	return nil
}

// watched remembers the error of a reader, to tell it from the writer's.
type watched struct {
	r   io.Reader
	n   int64
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// wave reads plain PCM here and gives every other coding to ffmpeg under a header of our own.
func (d *decoding) wave(ctx context.Context, r *bufio.Reader) error {
	h, err := readWAVHeader(r)
	if err != nil {
		return err
	}
	body := &watched{r: h.body(r)}
	d.report.Codec, d.report.Rate, d.report.Channels, d.report.Claimed = h.codec(), h.rate, h.channels, h.seconds()
	d.facts.unfinished = h.claim < 0
	if h.plain() {
		if err := d.fits(h); err != nil {
			return err
		}
		err = d.samples(ctx, h, body)
	} else {
		err = d.ffmpeg(ctx, WAV, io.MultiReader(bytes.NewReader(h.forFFmpeg()), body), "")
	}
	d.heldAgainst(h, body.n)
	return err
}

// heldAgainst compares the bytes that came with what the header promised.
func (d *decoding) heldAgainst(h wavHeader, got int64) {
	block := int64(max(1, h.blockAlign))
	if h.claim < 0 || got/block >= h.claim/block {
		return
	}
	d.report.Truncated = true
	if d.report.Claimed == 0 && got > 0 {
		d.report.Claimed = float64(d.pcm.Samples()) / Rate * float64(h.claim) / float64(got)
	}
}

// fits refuses a file that is certainly too long before reading it. A stream is not believed and refused when it gets there.
func (d *decoding) fits(h wavHeader) error {
	if d.src.size < 0 {
		return nil
	}
	data := d.src.size - h.dataAt
	if h.claim >= 0 {
		data = min(data, h.claim)
	}
	if float64(data/int64(h.blockAlign))/float64(h.rate) > d.opts.MaxDuration.Seconds() {
		return errTooLong(d.opts.MaxDuration)
	}
	return nil
}

// samples brings plain PCM into the recording: one channel, 16 kHz, 16 bits.
func (d *decoding) samples(ctx context.Context, h wavHeader, r io.Reader) error {
	d.pcm.describe(d.report)
	coarse := h.bits == 8 || d.report.Codec == "pcm_alaw" || d.report.Codec == "pcm_mulaw"
	d.mix = newMixer(h.rate, h.channels, coarse)
	rs, b := newResampler(h.rate, Rate), newBlocks(h, r)
	emit := func(mono []float32) error { return d.put(rs.push(mono)) }
	for {
		block, err := b.next()
		d.facts.bad = b.bad
		if perr := d.mix.push(block, emit); perr != nil {
			return perr
		}
		if err == nil {
			err = ctx.Err()
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			_ = d.mix.flush(emit) // what came before it is kept
			return err
		}
	}
	if err := d.mix.flush(emit); err != nil {
		return err
	}
	return d.put(rs.flush())
}

func (d *decoding) put(samples []float32) error {
	d.scrap = d.scrap[:0]
	for _, s := range samples {
		d.scrap = append(d.scrap, quantise(s))
	}
	d.loud.add(d.scrap)
	return d.pcm.write(d.scrap)
}
