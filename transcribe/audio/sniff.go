package audio

import (
	"bufio"
	"bytes"
)

const (
	headBytes = 1 << 16 // buffer through which a recording is read; the index of a small M4A fits in
	lookBytes = 8192    // that are looked at to find its kind
	maxTags   = 8       // ID3 tags in a row
)

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
	{4, "free", MP4},
	{4, "skip", MP4},
	{0, "caff", CAF},
	{0, "#!AMR", AMR},
	{0, ".snd", AU},
	{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", WMA},
	{0, "\x02dss", DSS},
	{0, "\x03dss", DSS},
}

// sniff names the container of a recording, or says why it is none. It reads nothing but ID3 tags, which may stand before
// MP3, AAC and FLAC and are nobody's business; the rest is only peeked at. A kind with a signature is known after its first
// bytes, so that a slow stream need not fill the buffer.
func sniff(r *bufio.Reader) (Container, error) {
	tagged := false
	for range maxTags {
		head, c, err := look(r)
		switch {
		case err != nil:
			return "", err
		case c != "":
			return c, nil
		case len(head) == 0 && !tagged:
			return "", errEmpty()
		}
		n := id3Length(head)
		if n == 0 {
			return refuse(head, tagged)
		}
		if err := discard(r, n); err != nil {
			return "", corruptOr(err)
		}
		tagged = true
	}
	return "", errCorrupt(nil)
}

// look waits for as many bytes as it takes to know the kind, and for no more.
func look(r *bufio.Reader) ([]byte, Container, error) {
	for want := 12; ; want = min(lookBytes, r.Buffered()+1) {
		_, err := r.Peek(want)
		if err != nil && !ended(err) {
			return nil, "", err
		}
		head, _ := r.Peek(min(lookBytes, r.Buffered()))
		if c := match(head); c != "" {
			return head, c, nil
		}
		if err != nil || len(head) == lookBytes {
			return head, matchFrame(head), nil //nolint:nilerr // a short file may be a whole one
		}
		if id3Length(head) > 0 {
			return head, "", nil
		}
	}
}

func refuse(head []byte, tagged bool) (Container, error) {
	for _, u := range unsupported {
		if bytes.HasPrefix(head, []byte(u.magic)) {
			return "", errKnownKind(u.name)
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" {
		return "", errUnsupported("This kind of RIFF file", nil)
	}
	if tagged { // the tag is the evidence; some encoders pad after it
		return MP3, nil
	}
	return "", errNotAudio(nil)
}

func match(head []byte) Container {
	for _, s := range signatures {
		if len(head) < s.at+len(s.magic) || string(head[s.at:s.at+len(s.magic)]) != s.magic {
			continue
		}
		if s.at == 0 || head[0] == 0 || s.magic == "mdat" { // text may say "free" too, but has no size before it
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
	return ""
}

// id3Length returns the bytes of an ID3v2 tag with its header, or 0.
func id3Length(b []byte) int64 {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[6]|b[7]|b[8]|b[9] >= 0x80 {
		return 0
	}
	return 10 + (int64(b[6])<<21 | int64(b[7])<<14 | int64(b[8])<<7 | int64(b[9]))
}
