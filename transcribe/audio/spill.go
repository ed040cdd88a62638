package audio

import (
	"encoding/binary"
	"fmt"
	"os"
)

const (
	// spillSamples is how much stays in memory: 5 minutes, 10 MB. A three-hour recording needs 346 MB and goes to disk.
	spillSamples = 5 * 60 * Rate
	// spillBlock is how much is gathered for one write once there is a file.
	spillBlock = 1 << 18
)

// write adds samples, wakes who waits for them, and refuses what exceeds the longest duration.
func (p *PCM) write(samples []int16) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mem = append(p.mem, samples...)
	p.n += len(samples)
	p.wake()
	if p.n > p.opts.maxSamples() {
		return errTooLong(p.opts.MaxDuration)
	}
	if p.file != nil && len(p.mem) >= spillBlock || len(p.mem) > spillSamples {
		return p.spill()
	}
	return nil
}

func (p *PCM) wake() {
	close(p.grown)
	p.grown = make(chan struct{})
}

func (p *PCM) spill() error {
	if p.file == nil {
		f, err := os.CreateTemp(p.opts.TempDir, "vesper-pcm-*")
		if err != nil {
			return errTempSpace(fmt.Errorf("create spill file: %w", err))
		}
		p.file = f
		if err := os.Remove(f.Name()); err != nil {
			return errTempSpace(fmt.Errorf("unlink spill file: %w", err))
		}
	}
	buf := make([]byte, 0, 2*min(len(p.mem), spillBlock))
	for rest := p.mem; len(rest) > 0; {
		part := rest[:min(len(rest), spillBlock)]
		buf = buf[:0]
		for _, s := range part {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(s))
		}
		if _, err := p.file.Write(buf); err != nil {
			return errTempSpace(fmt.Errorf("spill decoded audio: %w", err))
		}
		rest = rest[len(part):]
	}
	p.inFile += len(p.mem)
	if cap(p.mem) > 2*spillBlock {
		p.mem = make([]int16, 0, 2*spillBlock)
	}
	p.mem = p.mem[:0]
	return nil
}

// describe makes known what the header tells while the samples still come.
func (p *PCM) describe(r Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report = r
}

// finish marks the recording complete, or ended by err.
func (p *PCM) finish(r Report, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil && len(p.mem) > 0 && err == nil {
		err = p.spill()
	}
	p.report, p.err, p.done = r, err, true
	p.wake()
	return err
}
