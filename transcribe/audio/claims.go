package audio

import (
	"encoding/binary"
	"io"
)

// mp3Claim returns the seconds that an MP3 promises in the Xing or Info header of its first frame, or 0. Encoders write it
// in place of sound; recorders seldom do.
func mp3Claim(head []byte) float64 {
	start := 0
	for start < len(head) && head[start] == 0 {
		start++
	}
	b := head[start:]
	if mp3FrameLength(b) == 0 {
		return 0
	}
	mpeg1, mono := b[1]>>3&3 == 3, b[3]>>6 == 3
	rate := []int{44100, 48000, 32000}[b[2]>>2&3]
	samples, at := 1152, 4+32
	switch {
	case mpeg1 && mono, !mpeg1 && !mono:
		at = 4 + 17
	case mono:
		at = 4 + 9
	}
	if !mpeg1 {
		samples, rate = 576, rate/2
		if b[1]>>3&3 == 0 {
			rate /= 2
		}
	}
	if len(b) < at+12 || string(b[at:at+4]) != "Xing" && string(b[at:at+4]) != "Info" || b[at+7]&1 == 0 {
		return 0
	}
	return float64(binary.BigEndian.Uint32(b[at+8:])) * float64(samples) / float64(rate)
}

// oggPages watches an Ogg stream go by (RFC 3533) to see whether it ends inside a page: nothing in an Ogg file says how long
// it is, but each page says how long the page is.
type oggPages struct {
	r    io.Reader
	head []byte // of the page under way, while it is incomplete
	body int    // bytes of the page still to come
	lost bool   // these are no pages
}

const oggHeadBytes = 27 // before the table of segments

func (o *oggPages) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	for rest := p[:n]; len(rest) > 0 && !o.lost; {
		if o.body > 0 {
			k := min(o.body, len(rest))
			o.body, rest = o.body-k, rest[k:]
			continue
		}
		o.head, rest = append(o.head, rest[0]), rest[1:]
		o.opened()
	}
	return n, err
}

func (o *oggPages) opened() {
	k := len(o.head)
	switch {
	case k <= 4 && o.head[k-1] != "OggS"[k-1]:
		o.lost = true
	case k >= oggHeadBytes && k == oggHeadBytes+int(o.head[oggHeadBytes-1]):
		for _, length := range o.head[oggHeadBytes:] {
			o.body += int(length)
		}
		o.head = o.head[:0]
	}
}

// cut says that the last page is not whole.
func (o *oggPages) cut() bool { return !o.lost && (o.body > 0 || len(o.head) > 0) }
