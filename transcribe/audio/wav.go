package audio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xfffe
	maxChannels      = 64
	minWAVRate       = 1000
	maxWAVRate       = 768000
	maxFormatBytes   = 4096 // of the fmt chunk that are looked at; MS ADPCM needs 50
)

// wavHeader is what the chunks before the samples say. Nothing in it is trusted: the claim is only ever held against the
// bytes that really come.
type wavHeader struct {
	format     int // formatPCM, formatFloat, or another tag that ffmpeg must read
	channels   int
	rate       int
	bits       int // of a sample as stored: a whole number of bytes for what is plain
	blockAlign int
	raw        []byte // the format chunk, for ffmpeg
	dataAt     int64
	claim      int64 // bytes of samples; -1 when the header does not tell and they go to the end
}

// plain says whether blocks.go can read the samples; the rest is ffmpeg's.
func (h wavHeader) plain() bool {
	switch {
	case h.blockAlign != h.channels*h.bits/8:
		return false
	case h.format == formatPCM:
		return h.bits == 8 || h.bits == 16 || h.bits == 24 || h.bits == 32
	default:
		return h.format == formatFloat && (h.bits == 32 || h.bits == 64)
	}
}

// seconds is what the header promises, or 0 where only a decode tells: writers get the byte rate of ADPCM wrong.
func (h wavHeader) seconds() float64 {
	if h.claim <= 0 || !h.plain() {
		return 0
	}
	return float64(h.claim/int64(h.blockAlign)) / float64(h.rate)
}

func (h wavHeader) body(r io.Reader) io.Reader {
	if h.claim < 0 {
		return r
	}
	return io.LimitReader(r, h.claim)
}

var wavCodecs = map[int]string{2: "adpcm_ms", 6: "pcm_alaw", 7: "pcm_mulaw", 0x11: "adpcm_ima_wav", 0x31: "gsm_ms", 0x55: "mp3"}

func (h wavHeader) codec() string {
	switch name := wavCodecs[h.format]; {
	case h.format == formatPCM:
		return fmt.Sprintf("pcm_%d", h.bits)
	case h.format == formatFloat:
		return fmt.Sprintf("float_%d", h.bits)
	case name != "":
		return name
	default:
		return fmt.Sprintf("wav_tag_%#x", h.format)
	}
}

// readWAVHeader reads up to the first sample and walks the chunks itself, because a stream cannot be sought in and sizes in
// the file are an attacker's to choose: chunks are skipped by reading, so none can lead past the end or make us allocate.
// RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) keep the true size in a ds64 chunk.
func readWAVHeader(r *bufio.Reader) (wavHeader, error) {
	h := wavHeader{dataAt: 12}
	var top [12]byte
	if _, err := io.ReadFull(r, top[:]); err != nil {
		return h, corruptOr(err)
	}
	wide := int64(-1)
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return h, h.noData(err)
		}
		id, n := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		h.dataAt += 8
		if id == "data" && h.rate != 0 {
			h.claim = claimedBytes(n, wide, r)
			return h, nil
		}
		read, err := int64(0), error(nil)
		switch {
		case id == "fmt " && h.rate == 0:
			read, err = h.readFormat(r, n)
		case id == "ds64" && n >= 24:
			wide, err = readDS64(r)
			read = 24
		}
		if err != nil {
			return h, err
		}
		skip := n + n&1
		if err := discard(r, skip-read); err != nil {
			return h, h.noData(err)
		}
		h.dataAt += skip
	}
}

// noData says what a header without samples is.
func (h wavHeader) noData(err error) error {
	switch {
	case !ended(err):
		return err
	case h.rate == 0:
		return errCorrupt(errors.New("wav: no format chunk"))
	default:
		return errNoSound()
	}
}

// claimedBytes reads the size of the data chunk. A size of 0, or one so near 2^31 or 2^32 that only a writer who did not
// know it yet would choose it, as recorders that died or wrote to a pipe leave it, means "to the end".
func claimedBytes(n, wide int64, r *bufio.Reader) int64 {
	switch {
	case n == math.MaxUint32 && wide > 0 && wide < math.MaxInt64:
		return wide
	case n == 0:
		if b, _ := r.Peek(4); afterData[string(b)] {
			return 0
		}
		return -1
	case n >= 1<<32-1<<12, n >= 1<<31-1<<12 && n < 1<<31:
		return -1
	default:
		return n
	}
}

// afterData are chunks that follow the samples: after a data chunk of size 0 they prove that it is really empty.
var afterData = map[string]bool{"LIST": true, "bext": true, "id3 ": true, "ID3 ": true, "iXML": true, "_PMX": true, "cue ": true, "JUNK": true}

func readDS64(r io.Reader) (int64, error) {
	var b [24]byte // RIFF size, data size, sample count
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, corruptOr(err)
	}
	return int64(binary.LittleEndian.Uint64(b[8:])), nil
}

func (h *wavHeader) readFormat(r io.Reader, n int64) (int64, error) {
	if n < 16 {
		return 0, errCorrupt(fmt.Errorf("wav: format chunk of %d bytes", n))
	}
	b := make([]byte, min(n, maxFormatBytes))
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, corruptOr(err)
	}
	h.raw = b
	h.format = int(binary.LittleEndian.Uint16(b))
	h.channels = int(binary.LittleEndian.Uint16(b[2:]))
	h.rate = int(binary.LittleEndian.Uint32(b[4:]))
	h.blockAlign = int(binary.LittleEndian.Uint16(b[12:]))
	h.bits = int(binary.LittleEndian.Uint16(b[14:]))
	if h.format == formatExtensible && len(b) >= 26 { // the real tag is the first field of the sub-format GUID
		h.format = int(binary.LittleEndian.Uint16(b[24:]))
	}
	if h.format == formatPCM && h.bits > 8 { // 12 or 20 bits stand left-justified in whole bytes
		h.bits = (h.bits + 7) / 8 * 8
	}
	if h.channels < 1 || h.channels > maxChannels || h.rate < minWAVRate || h.rate > maxWAVRate {
		return 0, errCorrupt(fmt.Errorf("wav: %d channels at %d Hz", h.channels, h.rate))
	}
	return int64(len(b)), nil
}

// forFFmpeg is a header of nothing but the format, so that hostile chunks never reach the decoder.
func (h wavHeader) forFFmpeg() []byte {
	b := append([]byte("RIFF\xff\xff\xff\xffWAVEfmt "), binary.LittleEndian.AppendUint32(nil, uint32(len(h.raw)))...)
	b = append(b, h.raw...)
	if len(h.raw)%2 == 1 {
		b = append(b, 0)
	}
	n := uint32(math.MaxUint32)
	if h.claim >= 0 && h.claim < math.MaxUint32 {
		n = uint32(h.claim)
	}
	return binary.LittleEndian.AppendUint32(append(b, "data"...), n)
}

// discard skips bytes that need not all be there.
func discard(r *bufio.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// corruptOr calls a recording that ends too early damaged, and passes on what the source itself reports.
func corruptOr(err error) error {
	if ended(err) {
		return errCorrupt(err)
	}
	return err
}
