package main_test

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const spoken = "../../testdata/dictations/pediatrics-ear/audio.wav"

// clip writes the beginning of a real dictation as a WAV file of its own: a few seconds of speech.
func clip(t *testing.T, seconds int) string {
	t.Helper()
	raw, err := os.ReadFile(spoken)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(raw[:200]), "data")
	rate := int(binary.LittleEndian.Uint32(raw[28:]))
	head, data := slices.Clone(raw[:at+8]), raw[at+8:]
	data = data[:min(len(data), seconds*rate)]
	binary.LittleEndian.PutUint32(head[at+4:], uint32(len(data)))
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8+len(data)))
	return file(t, "clip.wav", string(head)+string(data))
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTranscribePrintsWordsWithTheirTimes(t *testing.T) {
	t.Parallel()
	// ffmpeg is not there: WAV needs none.
	r := run(t, []string{"PATH=/nonexistent"}, "transcribe", clip(t, 6), "--json")
	r.want(t, 0)
	var out struct {
		Audio struct {
			SHA256  string
			Seconds float64
		}
		Model         struct{ Name, SHA256 string }
		EngineSeconds float64 `json:"engine_seconds"`
		Text          string
		Words         []struct {
			Text                   string
			Start, End, Confidence float64
		}
		Spans []struct {
			Start, End float64
			Kind       string
		}
	}
	if err := json.Unmarshal([]byte(r.out), &out); err != nil {
		t.Fatalf("%v in %s", err, r.out)
	}
	if len(out.Audio.SHA256) != 64 || len(out.Model.SHA256) != 64 || out.Model.Name == "" || out.EngineSeconds <= 0 || out.Audio.Seconds < 5.9 {
		t.Errorf("facts %+v", out)
	}
	if !strings.Contains(strings.ToLower(out.Text), "boy") || len(out.Words) < 5 {
		t.Errorf("heard %q", out.Text)
	}
	for _, w := range out.Words {
		if w.End <= w.Start || w.Confidence <= 0 || w.Confidence > 1 || w.End > out.Audio.Seconds {
			t.Errorf("word %+v", w)
		}
	}
	at := 0.0
	for _, s := range out.Spans {
		if s.Start != at || !slices.Contains([]string{"words", "silence", "unheard", "struck"}, s.Kind) {
			t.Errorf("span %+v after %v", s, at)
		}
		at = s.End
	}
}

func TestTranscribeSaysWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(spoken)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, code string }{
		"an empty file":       {"", "audio_empty"},
		"a text named .wav":   {"Dear colleague, I saw your patient today.", "audio_not_audio"},
		"one byte":            {"R", "audio_not_audio"},
		"a header cut short":  {string(raw[:30]), "audio_corrupt"},
		"the JSON of a draft": {`{"work_type":"progress"}`, "audio_not_audio"},
	} {
		r := run(t, nil, "transcribe", file(t, "recording.wav", c.content))
		if r.code != 1 || !strings.Contains(r.errOut, "("+c.code+")") || strings.TrimSpace(r.out) != "" {
			t.Errorf("%s: exit %d\n%s%s", name, r.code, r.out, r.errOut)
		}
	}
	run(t, nil, "transcribe", filepath.Join(t.TempDir(), "absent.wav")).want(t, 1, "no such file")
	run(t, nil, "transcribe", t.TempDir()).want(t, 1, "vesper: ")
	// What is left of a WAV file that was cut is transcribed: the header's length is only a wish.
	run(t, nil, "transcribe", file(t, "cut.wav", string(raw[:40_000])), "--json").want(t, 0, `"spans"`)
}

func TestWithoutFfmpegCompressedRecordingsAreExplained(t *testing.T) {
	t.Parallel()
	r := run(t, []string{"PATH=/nonexistent"}, "transcribe", "../../internal/sample/sample.ogg")
	r.want(t, 1, "ffmpeg")
	r.wantFault(t, "ffmpeg_missing")
}

func TestWithoutAModelOneIsToldWhereItWasLookedFor(t *testing.T) {
	t.Parallel()
	offline := []string{"HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "PIP_NO_INDEX=1", "PATH=/nonexistent"}
	r := run(t, offline, "transcribe", clip(t, 1), "--model", "tiny.en", "--models-dir", t.TempDir(), "--model-mirror", t.TempDir())
	r.want(t, 1, "tiny.en")
	if strings.Contains(r.errOut, "(internal)") {
		t.Errorf("no help: %s", r.errOut)
	}
	run(t, nil, "transcribe", clip(t, 1), "--model", "enormous").wantFault(t, "model_unknown")
}

func TestDraftMakesANoteOfATranscript(t *testing.T) {
	t.Parallel()
	const transcript = "../../pipeline/testdata/transcript.json"
	r := run(t, nil, "draft", transcript, "--work-type", "progress", "--json")
	r.want(t, 0)
	var out struct {
		WorkType string `json:"work_type"`
		Sections []struct{ Key, Heading, Text string }
		Blanks   []struct {
			Start, End float64
			Section    string
		}
		Flags []struct {
			Kind, Text, Detail string
			Start, End         float64
		}
		FollowUps []struct{ Kind, Text, Due, To string } `json:"follow_ups"`
	}
	dec := json.NewDecoder(strings.NewReader(r.out))
	if err := dec.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, r.out)
	}
	if out.WorkType != "progress" || out.Blanks == nil || out.FollowUps == nil || len(out.Flags) == 0 || len(out.Sections) < 4 {
		t.Errorf("note %+v", out)
	}
	if plan := out.Sections[len(out.Sections)-1]; plan.Key != "plan" || !strings.Contains(plan.Text, "800 mg twice daily for 10 days.") {
		t.Errorf("plan %+v", plan)
	}
	run(t, nil, "draft", transcript).want(t, 0, "PLAN", "800 mg twice daily")
	run(t, nil, "draft", transcript, "--work-type", "poem").wantFault(t, "work_type_unknown")
	run(t, nil, "draft", file(t, "broken.json", `{"words": [`)).wantFault(t, "transcript_invalid")
	run(t, nil, "draft", file(t, "words.json", `{"words": "many"}`)).wantFault(t, "transcript_invalid")
	run(t, nil, "draft", filepath.Join(t.TempDir(), "absent")).wantFault(t, "file_unreadable")
}
