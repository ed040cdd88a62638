package audio

import (
	"bytes"
	"errors"
	"io"
)

// Container is the kind of file, found by content.
type Container string

// The containers that Decode reads.
const (
	WAV  Container = "wav"
	W64  Container = "w64"
	MP3  Container = "mp3"
	AAC  Container = "aac"
	MP4  Container = "mp4"  // M4A and QuickTime
	OGG  Container = "ogg"  // Opus, Vorbis, Speex or FLAC inside
	WebM Container = "webm" // and Matroska
	FLAC Container = "flac"
	AIFF Container = "aiff"
	CAF  Container = "caf"
	AMR  Container = "amr"
	AU   Container = "au"
	WMA  Container = "wma"
	DSS  Container = "dss"
)

// demuxers names the one ffmpeg demuxer allowed for each container.
var demuxers = map[Container]string{
	WAV: "wav", W64: "w64", MP3: "mp3", AAC: "aac", MP4: "mov", OGG: "ogg", WebM: "matroska", FLAC: "flac",
	AIFF: "aiff", CAF: "caf", AMR: "amr", AU: "au", WMA: "asf", DSS: "dss",
}

type signature struct {
	at    int
	magic string
	is    Container
}

var signatures = []signature{
	{0, "RF64", WAV},
	{0, "BW64", WAV},
	{0, "riff\x2e\x91\xcf\x11", W64},
	{0, "fLaC", FLAC},
	{0, "OggS", OGG},
	{0, "\x1a\x45\xdf\xa3", WebM},
	{4, "ftyp", MP4},
	{4, "moov", MP4},
	{4, "mdat", MP4},
	{4, "wide", MP4},
	{0, "caff", CAF},
	{0, "#!AMR", AMR},
	{0, ".snd", AU},
	{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", WMA},
	{0, "\x02dss", DSS},
	{0, "\x03dss", DSS},
}

// unsupported names known kinds that people send by mistake, so that the answer can be precise.
var unsupported = []struct{ magic, name string }{
	{"\x03ds2", "The encrypted dictation format DS2"},
	{"\x07ds2", "The encrypted dictation format DS2"},
	{"MThd", "MIDI"},
	{"FLV\x01", "Flash video"},
	{"\x00\x00\x01\xba", "MPEG video"},
}

// sniff names the container of an open file, or says why it is none. It leaves the read position undefined.
func sniff(f io.ReadSeeker, size int64) (Container, error) {
	if size == 0 {
		return "", errEmpty()
	}
	head, err := readHead(f, 0)
	if err != nil {
		return "", errUnreadable(err)
	}
	at := int64(0)
	if n := id3Length(head); n > 0 { // an ID3 tag may stand before MP3, AAC and FLAC
		at = n
		if head, err = readHead(f, n); err != nil {
			return "", errCorrupt(err)
		}
	}
	if c := match(head); c != "" {
		return c, nil
	}
	for _, u := range unsupported {
		if bytes.HasPrefix(head, []byte(u.magic)) {
			return "", errUnsupported(u.name, nil)
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" {
		return "", errUnsupported("This kind of RIFF file", nil)
	}
	if at > 0 { // the tag is the evidence; some encoders pad after it
		return MP3, nil
	}
	return "", errNotAudio(nil)
}

func match(head []byte) Container {
	for _, s := range signatures {
		if len(head) >= s.at+len(s.magic) && string(head[s.at:s.at+len(s.magic)]) == s.magic {
			return s.is
		}
	}
	if len(head) >= 12 {
		switch kind := string(head[8:12]); {
		case string(head[:4]) == "RIFF" && kind == "WAVE":
			return WAV
		case string(head[:4]) == "FORM" && (kind == "AIFF" || kind == "AIFC"):
			return AIFF
		}
	}
	return matchFrame(head)
}

// matchFrame knows MPEG audio by two frames in a row, because two bytes of sync occur in any data.
func matchFrame(head []byte) Container {
	for start := 0; start+4 <= len(head) && start < 2048; start++ {
		if head[start] != 0xff {
			if start == 0 && head[0] != 0 { // only zero padding may stand before the first frame
				return ""
			}
			if head[start] != 0 {
				return ""
			}
			continue
		}
		if n := mp3FrameLength(head[start:]); n > 0 && nextFrame(head, start+n, mp3FrameLength) {
			return MP3
		}
		if n := adtsFrameLength(head[start:]); n > 0 && nextFrame(head, start+n, adtsFrameLength) {
			return AAC
		}
		return ""
	}
	return ""
}

func nextFrame(head []byte, at int, length func([]byte) int) bool {
	return at+4 > len(head) || length(head[at:]) > 0
}

var mp3Kbps = [2][16]int{ // layer III: MPEG-1, then MPEG-2 and 2.5 (ISO 11172-3, 13818-3)
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
}

func mp3FrameLength(b []byte) int {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 || b[1]>>1&3 != 1 {
		return 0
	}
	version, rateIndex := b[1]>>3&3, int(b[2]>>2&3)
	if version == 1 || rateIndex == 3 {
		return 0
	}
	rate, table, samples := []int{44100, 48000, 32000}[rateIndex], 0, 144000
	if version != 3 {
		rate, table, samples = rate/2, 1, 72000
		if version == 0 {
			rate /= 2
		}
	}
	kbps := mp3Kbps[table][b[2]>>4]
	if kbps == 0 {
		return 0
	}
	return samples*kbps/rate + int(b[2]>>1&1)
}

func adtsFrameLength(b []byte) int {
	if len(b) < 6 || b[0] != 0xff || b[1]&0xf6 != 0xf0 || b[2]>>2&15 > 12 {
		return 0
	}
	n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if n < 7 {
		return 0
	}
	return n
}

// id3Length returns the bytes of an ID3v2 tag with its header, or 0.
func id3Length(b []byte) int64 {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[6]|b[7]|b[8]|b[9] >= 0x80 {
		return 0
	}
	return 10 + (int64(b[6])<<21 | int64(b[7])<<14 | int64(b[8])<<7 | int64(b[9]))
}

func readHead(f io.ReadSeeker, at int64) ([]byte, error) {
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	head := make([]byte, 8192)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}
