package audio

import (
	"bufio"
	"encoding/binary"
	"strings"
)

// Container is the kind of file, found by content.
type Container string

// The containers that Decode reads.
const (
	WAV  Container = "wav"
	W64  Container = "w64"
	MP3  Container = "mp3"
	AAC  Container = "aac"
	MP4  Container = "mp4"  // M4A, 3GP and QuickTime
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

// format is what ffmpeg may use for one container: one demuxer, and only decoders of sound that recorders and phones put
// into it. A video decoder is never opened.
type format struct {
	demuxer  string
	decoders string
	piped    bool // can be read from beginning to end without seeking
}

const (
	pcmDecoders = "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be," +
		"pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
	mp3Decoders = "mp3float,mp3,mp2float,mp2"
	amrDecoders = "amrnb,amrwb,libopencore_amrnb,libopencore_amrwb"
	oggDecoders = "opus,libopus,vorbis,libvorbis,flac,speex,libspeex"
)

var formats = map[Container]format{
	WAV: {"wav", pcmDecoders + "," + mp3Decoders + ",adpcm_ms,adpcm_ima_wav,g722,g726,gsm_ms,libgsm_ms," +
		"g723_1,truespeech,adpcm_yamaha,aac", true},
	W64:  {"w64", pcmDecoders, false},
	MP3:  {"mp3", mp3Decoders, true},
	AAC:  {"aac", "aac", true},
	MP4:  {"mov", "aac,alac,opus,libopus,flac,adpcm_ima_qt," + mp3Decoders + "," + amrDecoders + "," + pcmDecoders, true},
	OGG:  {"ogg", oggDecoders, true},
	WebM: {"matroska", oggDecoders + ",aac," + mp3Decoders + "," + pcmDecoders, true},
	FLAC: {"flac", "flac", true},
	AIFF: {"aiff", pcmDecoders + ",adpcm_ima_qt", false},
	CAF:  {"caf", "aac,alac,opus,libopus,adpcm_ima_qt," + pcmDecoders, false},
	AMR:  {"amr", amrDecoders, true},
	AU:   {"au", pcmDecoders, true},
	WMA:  {"asf", "wmav1,wmav2,wmapro,wmalossless,wmavoice", false},
	DSS:  {"dss", "dss_sp,g723_1", false},
}

// piped says whether this recording can be decoded while it arrives. Of MP4 only what has its index (moov) before the
// sound can; it looks no further than the buffer of r.
func piped(c Container, r *bufio.Reader) bool {
	return formats[c].piped && (c != MP4 || indexFirst(r))
}

func indexFirst(r *bufio.Reader) bool {
	for at := int64(0); at+8 <= int64(r.Size()); {
		b, err := r.Peek(int(at) + 8)
		if err != nil {
			return false
		}
		n, kind := int64(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		switch {
		case kind == "moov":
			return true
		case kind == "mdat" || n < 8:
			return false
		}
		at += n
	}
	return false
}

// supported is how people are told what to send.
const supported = "WAV, MP3, M4A, OGG/Opus, WebM, FLAC, AMR or DSS"

// unsupported names known kinds that people send by mistake, so that the answer can be precise.
var unsupported = []struct{ magic, name string }{
	{"\x01ds2", ds2},
	{"\x03ds2", ds2},
	{"\x07ds2", ds2},
	{"\x03enc", encryptedDS2},
	{"\x01enc", encryptedDS2},
	{"MThd", "MIDI"},
	{"FLV\x01", "Flash video"},
	{"\x00\x00\x01\xba", "MPEG video"},
	{"RIFX", "Big-endian WAV (RIFX)"},
}

const (
	ds2          = "The dictation format DS2 (DSS Pro)"
	encryptedDS2 = "The encrypted dictation format DS2 (DSS Pro)"
)

// errKnownKind says what to do about a kind that is known and not read.
func errKnownKind(name string) error {
	if strings.Contains(name, "DS2") {
		return errDS2(name)
	}
	return errUnsupported(name, nil)
}
