package audio

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kind is one way to store the tone. The share is how much of the decoded power must be the tone.
type kind struct {
	args      []string // for ffmpeg, between the input and the output
	file      string   // in testdata, instead of ffmpeg's input
	container Container
	codec     string
	rate      int
	share     float64
}

func made(c Container, codec string, args ...string) kind {
	return kind{args: args, container: c, codec: codec, rate: 48000, share: 0.98}
}

func (k kind) at(rate int, share float64) kind {
	k.rate, k.share = rate, share
	return k
}

func (k kind) from(file string) kind {
	k.file = file
	return k
}

// loose is how far the amplitude may be off: speech codecs do not keep that of a tone.
func (k kind) loose() float64 {
	if k.share < 0.95 {
		return 0.15
	}
	return 0.05
}

var video = []string{"-map", "1:v", "-c:v", "mpeg4"}

var kinds = map[string]kind{
	"A-law WAV":            made(WAV, "pcm_alaw", "-ar", "8000", "-c:a", "pcm_alaw", "-f", "wav").at(8000, 0.98),
	"mu-law WAV":           made(WAV, "pcm_mulaw", "-ar", "8000", "-c:a", "pcm_mulaw", "-f", "wav").at(8000, 0.98),
	"MS ADPCM WAV":         made(WAV, "adpcm_ms", "-c:a", "adpcm_ms", "-f", "wav"),
	"IMA ADPCM WAV":        made(WAV, "adpcm_ima_wav", "-ar", "16000", "-c:a", "adpcm_ima_wav", "-f", "wav").at(16000, 0.98),
	"MP3 in WAV":           made(WAV, "mp3", "-c:a", "libmp3lame", "-f", "wav"),
	"RF64":                 made(WAV, "pcm_16", "-rf64", "always", "-f", "wav"),
	"WAV of 64-bit floats": made(WAV, "float_64", "-c:a", "pcm_f64le", "-f", "wav"),
	"WAV from a pipe":      made(WAV, "pcm_16", "-flags", "+bitexact", "-seekable", "0", "-f", "wav"),
	"Wave64":               made(W64, "pcm_s16le", "-f", "w64"),
	"MP3":                  made(MP3, "mp3", "-f", "mp3"),
	"MP3 with old tags":    made(MP3, "mp3", "-metadata", "title=Jane Doe", "-write_id3v1", "1", "-id3v2_version", "3", "-f", "mp3"),
	"MP3 at 16 kHz":        made(MP3, "mp3", "-ar", "16000", "-b:a", "24k", "-f", "mp3").at(16000, 0.98),
	"AAC":                  made(AAC, "aac", "-f", "adts"),
	"M4A, index last":      made(MP4, "aac", "-c:a", "aac", "-f", "ipod"),
	"M4A, index first":     made(MP4, "aac", "-c:a", "aac", "-movflags", "+faststart", "-f", "ipod"),
	"M4A in fragments":     made(MP4, "aac", "-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "300000", "-f", "mp4"),
	"Apple Lossless":       made(MP4, "alac", "-c:a", "alac", "-f", "ipod"),
	"video, index last":    made(MP4, "aac", append(video[:4:4], "-c:a", "aac", "-f", "mp4")...),
	"video, index first":   made(MP4, "aac", append(video[:4:4], "-c:a", "aac", "-movflags", "+faststart", "-f", "mp4")...),
	"QuickTime":            made(MP4, "pcm_s16le", "-c:a", "pcm_s16le", "-f", "mov"),
	"3GP with AAC":         made(MP4, "aac", "-c:a", "aac", "-f", "3gp"),
	"3GP with AMR":         made(MP4, "amr_nb", "-c:a", "copy", "-f", "3gp").from("tone-nb.amr").at(8000, 0.9),
	"OGG/Opus":             made(OGG, "opus", "-c:a", "libopus", "-f", "ogg"),
	"OGG/Opus 16 kbit/s":   made(OGG, "opus", "-c:a", "libopus", "-b:a", "16k", "-application", "voip", "-f", "ogg").at(48000, 0.9),
	"OGG/Vorbis":           made(OGG, "vorbis", "-c:a", "libvorbis", "-f", "ogg"),
	"OGG/FLAC":             made(OGG, "flac", "-c:a", "flac", "-f", "ogg"),
	"OGG/Speex":            made(OGG, "speex", "-ar", "16000", "-c:a", "libspeex", "-f", "ogg").at(16000, 0.8),
	"WebM/Opus":            made(WebM, "opus", "-c:a", "libopus", "-f", "webm"),
	"WebM live":            made(WebM, "opus", "-c:a", "libopus", "-live", "1", "-f", "webm"),
	"Matroska with AAC":    made(WebM, "aac", "-c:a", "aac", "-f", "matroska"),
	"FLAC":                 made(FLAC, "flac", "-f", "flac"),
	"AIFF":                 made(AIFF, "pcm_s16be", "-f", "aiff"),
	"CAF":                  made(CAF, "pcm_s16le", "-c:a", "pcm_s16le", "-f", "caf"),
	"CAF, Apple Lossless":  made(CAF, "alac", "-c:a", "alac", "-f", "caf"),
	"AU":                   made(AU, "pcm_mulaw", "-c:a", "pcm_mulaw", "-f", "au"),
	"WMA":                  made(WMA, "wmav2", "-c:a", "wmav2", "-f", "asf"),
	"AMR narrow band":      kind{container: AMR, codec: "amr_nb"}.from("tone-nb.amr").at(8000, 0.9),
	"AMR wide band":        kind{container: AMR, codec: "amr_wb"}.from("tone-wb.amr").at(16000, 0.9),
}

// makeKinds makes all files in one run of ffmpeg, whose start costs more than the work.
func makeKinds(t testing.TB) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	amr := filepath.Join("testdata", "tone-nb.amr")
	args := []string{"-v", "error", "-y", "-f", "lavfi", "-i", sine, "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=2", "-i", amr}
	for name, k := range kinds {
		if k.args == nil {
			continue
		}
		input := "0:a"
		if k.file != "" {
			input = "2:a"
		}
		args = append(append(append(args, "-map", input), k.args...), filepath.Join(dir, strings.ReplaceAll(name, "/", "-")))
	}
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg is needed for this test: %v: %s", err, out)
	}
	all := map[string][]byte{}
	for name, k := range kinds {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if k.args == nil {
			path = filepath.Join("testdata", k.file)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	return all
}

func TestEveryKindGivesTheToneWhateverItsNameAndTheSameFromAStream(t *testing.T) {
	t.Parallel()
	files := makeKinds(t)
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := files[name]
			path := write(t, "recording.txt", b)
			pcm, err := Decode(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer pcm.Close()
			r := pcm.Report()
			if math.Abs(pcm.Seconds()-2) > 0.1 || r.Truncated || r.Has(WarnDamaged) {
				t.Errorf("%.3f s, %+v", pcm.Seconds(), r)
			}
			if share, amp := toneFit(samplesOf(t, pcm), 440); share < k.share || math.Abs(amp-0.5) > k.loose() {
				t.Errorf("tone has %.4f of the power at amplitude %.4f", share, amp)
			}
			if r.Container != k.container || r.Codec != k.codec || r.Rate != k.rate || r.Channels != 1 || r.Used != UsedMono {
				t.Errorf("reported as %+v", r)
			}
			if info, err := Probe(t.Context(), path, Options{}); err != nil || info.Container != k.container {
				t.Errorf("probe says %v, %v", info.Container, err)
			}
			sameFromStream(t, b, pcm)
		})
	}
}

// sameFromStream fails unless the bytes, arriving in small and large pieces, give the very samples and report of the file.
func sameFromStream(t *testing.T, b []byte, file *PCM) {
	t.Helper()
	live, err := Stream(t.Context(), &ragged{b: b}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	have, done, err := live.Wait(t.Context(), math.MaxInt)
	if err != nil || !done || have != file.Samples() {
		t.Fatalf("streamed: %d samples (file: %d), done %v, %v", have, file.Samples(), done, err)
	}
	got, want := samplesOf(t, live), samplesOf(t, file)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("streamed: sample %d is %v, from the file %v", i, got[i], want[i])
		}
	}
	g, w := live.Report(), file.Report()
	if len(g.Warnings) != len(w.Warnings) || g.Claimed != w.Claimed || g.SpeechLevelDB != w.SpeechLevelDB || g.Used != w.Used {
		t.Errorf("streamed: %+v\nfrom the file: %+v", g, w)
	}
}

// ragged gives its bytes in pieces of 1, 2, 3, 5, 8 … 4,181 bytes, over and over.
type ragged struct {
	b    []byte
	a, n int
}

func (r *ragged) Read(p []byte) (int, error) {
	if r.n > 4000 || r.n == 0 {
		r.a, r.n = 1, 1
	}
	n := copy(p[:min(len(p), r.n)], r.b)
	r.b = r.b[n:]
	r.a, r.n = r.n, r.a+r.n
	if n == 0 {
		return 0, errEnd
	}
	return n, nil
}

func TestTagsInFrontAreSkippedUnread(t *testing.T) {
	t.Parallel()
	mp3, err := os.ReadFile(ffmpegMakes(t, "a.mp3", "-f", "lavfi", "-i", sine))
	if err != nil {
		t.Fatal(err)
	}
	tag := append([]byte("ID3\x03\x00\x00\x00\x04\x00\x00"), make([]byte, 4<<14)...) // 64 KB, larger than the buffer
	b := bytes.Join([][]byte{tag, tag, mp3}, nil)
	_, file := decodeBytes(t, "tagged", b, Options{})
	if r := file.Report(); r.Container != MP3 || math.Abs(file.Seconds()-2) > 0.1 {
		t.Fatalf("%+v", r)
	}
	sameFromStream(t, b, file)
}

func TestOfTwoSoundTracksTheFirstIsUsedAndSaidSo(t *testing.T) {
	t.Parallel()
	path := ffmpegMakes(t, "two.mkv", "-f", "lavfi", "-i", sine, "-f", "lavfi", "-i", "anullsrc", "-map", "0:a", "-map", "1:a", "-t", "2")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, pcm := decodeBytes(t, "two.mkv", b, Options{})
	if share, _ := toneFit(x, 440); share < 0.98 || !pcm.Report().Has(WarnTracks) {
		t.Errorf("%v %+v", share, pcm.Report())
	}
}

func TestAStreamOfTwoOggFilesInARowIsHeardToItsEnd(t *testing.T) {
	t.Parallel()
	var b []byte
	for _, ch := range []string{"1", "2"} {
		part, err := os.ReadFile(ffmpegMakes(t, "p.ogg", "-f", "lavfi", "-i", sine, "-ac", ch, "-c:a", "libvorbis"))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	_, pcm := decodeBytes(t, "chain.ogg", b, Options{})
	if math.Abs(pcm.Seconds()-4) > 0.2 {
		t.Errorf("%.2f s of 4: %+v", pcm.Seconds(), pcm.Report())
	}
}
