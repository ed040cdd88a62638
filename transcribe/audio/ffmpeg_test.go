package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
)

const sine = "sine=frequency=440:duration=2:sample_rate=48000,volume=4" // lavfi's sine has an amplitude of 1/8

func TestWhatIsNoRecordingIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	whole := wavSpec{rate: 16000, channels: 1, bits: 16}
	webm, err := os.ReadFile(ffmpegMakes(t, "a.webm", "-f", "lavfi", "-i", sine, "-c:a", "libopus"))
	if err != nil {
		t.Fatal(err)
	}
	silentVideo, err := os.ReadFile(ffmpegMakes(t, "v.mp4", "-f", "lavfi", "-i", "color=size=64x64:duration=1", "-c:v", "mpeg4"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		bytes []byte
		code  string
	}{
		"an empty file":              {nil, CodeEmpty},
		"one byte":                   {[]byte("R"), CodeNotAudio},
		"text named wav":             {[]byte("Dear colleague, thank you for referring this patient."), CodeNotAudio},
		"UTF-16 text":                {[]byte("\xff\xfeD\x00e\x00a\x00r\x00"), CodeNotAudio},
		"a web page":                 {[]byte("<!doctype html><title>Sign in</title>"), CodeNotAudio},
		"a PDF":                      {[]byte("%PDF-1.7\n"), CodeNotAudio},
		"zeros":                      {make([]byte, 100000), CodeNotAudio},
		"a concat script":            {[]byte("ffconcat version 1.0\nfile /etc/passwd\n"), CodeNotAudio},
		"a playlist":                 {[]byte("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x.ts\n"), CodeNotAudio},
		"half a RIFF header":         {[]byte("RIFF\x00\x00\x00\x00WAVE"), CodeCorrupt},
		"a wave header, no data":     {whole.file(nil), CodeEmpty},
		"a wave without data chunk":  {whole.file(nil)[:36], CodeEmpty},
		"a wave of no channels":      {wavSpec{rate: 16000, channels: 0, bits: 16}.file(make([]byte, 100)), CodeCorrupt},
		"a wave at rate zero":        {wavSpec{channels: 1, bits: 16}.file(make([]byte, 100)), CodeCorrupt},
		"an AVI":                     {[]byte("RIFF\x00\x00\x00\x00AVI LIST"), CodeUnsupported},
		"an encrypted dictation":     {append([]byte("\x03ds2"), make([]byte, 600)...), CodeUnsupported},
		"a DS2 said to be encrypted": {append([]byte("\x03enc"), make([]byte, 600)...), CodeUnsupported},
		"big-endian WAV":             {[]byte("RIFX\x00\x00\x00\x00WAVEfmt "), CodeUnsupported},
		"text that says free":        {[]byte("Use free samples at breakfast."), CodeNotAudio},
		"MIDI":                       {[]byte("MThd\x00\x00\x00\x06\x00\x01"), CodeUnsupported},
		"a webm header, then text":   {append(bytes.Clone(webm[:200]), bytes.Repeat([]byte("text "), 2000)...), CodeCorrupt},
		"ogg magic, then zeros":      {append([]byte("OggS"), make([]byte, 5000)...), CodeCorrupt},
		"flac magic, then noise":     {append([]byte("fLaC"), bytes.Repeat([]byte{7, 1, 9}, 3000)...), CodeCorrupt},
		"an m4a without its index":   {append([]byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00"), make([]byte, 4000)...), CodeCorrupt},
		"a video without sound":      {silentVideo, CodeNoTrack},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pcm, err := Decode(t.Context(), write(t, "dictation.wav", c.bytes), Options{})
			if pcm != nil {
				t.Fatalf("decoded to %.1f s", pcm.Seconds())
			}
			wantCode(t, err, c.code)
			if fault.Retryable(err) {
				t.Error("trying this file again cannot help, but the fault says so")
			}
		})
	}
}

func TestAFolderOrMissingFileIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Decode(t.Context(), t.TempDir(), Options{})
	wantCode(t, err, CodeNotAudio)
	_, err = Decode(t.Context(), filepath.Join(t.TempDir(), "gone.wav"), Options{})
	wantCode(t, err, CodeUnreadable)
}

func TestACodecWithoutDecoderIsUnsupported(t *testing.T) {
	t.Parallel()
	b := wavSpec{rate: 16000, channels: 1, bits: 16}.tone(1)
	b[20], b[21] = 0x34, 0x12 // a format tag that nobody registered
	_, err := Decode(t.Context(), write(t, "odd.wav", b), Options{})
	wantCode(t, err, CodeUnsupported)
}

func TestASoundCodecThatIsNotOnTheListIsNeverOpened(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a.mp4", "a.mkv"} {
		_, err := Decode(t.Context(), ffmpegMakes(t, name, "-f", "lavfi", "-i", sine, "-c:a", "ac3"), Options{})
		wantCode(t, err, CodeUnsupported)
	}
}

func TestEveryContainerHasADemuxerAndDecodersThatFFmpegKnows(t *testing.T) {
	t.Parallel()
	list := func(arg string) string {
		out, err := exec.Command("ffmpeg", "-hide_banner", arg).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(out), ",", " ") + " "
	}
	demuxers, decoders := list("-demuxers"), list("-decoders")
	for c, f := range formats {
		if !strings.Contains(demuxers, " "+f.demuxer+" ") {
			t.Errorf("%s: no demuxer %s", c, f.demuxer)
		}
		known := 0
		for _, d := range strings.Split(f.decoders, ",") {
			if strings.Contains(decoders, " "+d+" ") {
				known++
			} else if !strings.HasPrefix(d, "lib") {
				t.Errorf("%s: no decoder %s", c, d)
			}
		}
		if known == 0 {
			t.Errorf("%s: no decoder at all", c)
		}
	}
}

func TestWithoutFFmpegWaveStillWorksAndTheRestSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	none := Options{FFmpeg: filepath.Join(t.TempDir(), "ffmpeg")}
	decodeBytes(t, "tone.wav", wavSpec{rate: 44100, channels: 2, bits: 16}.tone(0.1), none)
	_, err := Decode(t.Context(), ffmpegMakes(t, "a.mp3", "-f", "lavfi", "-i", sine), none)
	wantCode(t, err, CodeNoFFmpeg)
}

func TestACompressionBombStopsAtTheLongestDuration(t *testing.T) {
	t.Parallel()
	bomb := ffmpegMakes(t, "bomb.flac", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "1200")
	st, err := os.Stat(bomb)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err = Decode(t.Context(), bomb, Options{MaxDuration: time.Minute, TempDir: dir})
	wantCode(t, err, CodeTooLong)
	t.Logf("%d bytes promise twenty minutes", st.Size())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v %v", left, err)
	}
	_, err = Decode(t.Context(), write(t, "long.wav", wavSpec{rate: 8000, channels: 1, bits: 8}.file(make([]byte, 8000*61))),
		Options{MaxDuration: time.Minute})
	wantCode(t, err, CodeTooLong)
}

func TestARecordingThatBreaksOffKeepsWhatWasHeard(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a.ogg", "a.flac", "a.webm", "a.mp3"} {
		whole, err := os.ReadFile(ffmpegMakes(t, name, "-f", "lavfi", "-i", strings.Replace(sine, "=2:", "=20:", 1)))
		if err != nil {
			t.Fatal(err)
		}
		_, pcm := decodeBytes(t, name, whole[:len(whole)*2/3], Options{})
		if s := pcm.Seconds(); s < 8 || s > 16 {
			t.Errorf("%s: %.1f s left of 20 after a third was cut off", name, s)
		}
	}
}

func TestCancelEndsTheDecoderAtOnce(t *testing.T) {
	t.Parallel()
	path := ffmpegMakes(t, "long.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:a=0.1:d=400")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(60*time.Millisecond, cancel)
	began := time.Now()
	_, err := Decode(ctx, path, Options{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestADecoderThatTakesTooLongIsKilled(t *testing.T) {
	t.Parallel()
	path := ffmpegMakes(t, "long.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:a=0.1:d=400")
	_, err := Decode(t.Context(), path, Options{Timeout: 50 * time.Millisecond})
	wantCode(t, err, CodeTimeout)
}

func TestTheSandboxHidesOtherFilesAndTheNetwork(t *testing.T) {
	t.Parallel()
	secret := write(t, "other-patient.wav", []byte("secret"))
	input := write(t, "input.wav", []byte("input"))
	allowed := input
	run := func(bin string, args ...string) (string, error) {
		cmd := sandboxed(t.Context(), childBounds{memoryBytes: 1 << 30, cpuSeconds: 10, input: allowed}, bin, args)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("/bin/cat", input); err != nil || out != "input" {
		t.Fatalf("its own input: %q %v", out, err)
	}
	if out, err := run("/bin/cat", secret); err == nil || strings.Contains(out, "secret") {
		t.Errorf("another file was read: %q", out)
	}
	if out, err := run("/bin/bash", "-c", "echo x > made"); err == nil {
		t.Errorf("a file was written: %q", out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	if out, err := run("/bin/bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d", port)); err == nil {
		t.Errorf("the network was reached: %q", out)
	}
	var exit *exec.ExitError
	if out, err := run("/bin/bash", "-c", "ulimit -v; ulimit -c"); err != nil && !errors.As(err, &exit) || out != "1048576\n0\n" {
		t.Errorf("limits are %q, %v", out, err)
	}
	allowed = "" // as for a recording that comes through a pipe
	if out, err := run("/bin/cat", input); err == nil || out == "input" {
		t.Errorf("a file was read by a child that has none: %q", out)
	}
}
