package transcribe

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/internal/fault"
	"vesper/transcribe/audio"
)

func TestASecondModelDoubtsOnlyOtherRiskWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, second, heard, other string }{
		{"metoprolol 50 mg daily", "metoprolol 15 mg daily", "50", "15"},
		{"pain in the left knee", "pain in the right knee", "left", "right"},
		{"there is no edema", "there is edema", "no edema", "edema"},
		{"take four tablets", "take 4 tablets", "", ""},
		{"a soft murmur today", "a soft murmer today", "", ""},
		{"", "no pain", "", ""},
	} {
		got := disagreements(saidWords(heardWords(c.first, 0.9)), saidWords(heardWords(c.second, 0.9)))
		var readings []string
		for _, d := range got {
			readings = append(readings, d.heard, d.other)
		}
		var want []string
		if c.heard != "" {
			want = []string{c.heard, c.other}
		}
		if diff := cmp.Diff(want, readings); diff != "" {
			t.Errorf("%q against %q (-want +got):\n%s", c.first, c.second, diff)
		}
	}
}

// mishearer hears what a babbler hears, but for the side.
type mishearer struct{ *babbler }

func (m mishearer) Model() ModelFacts { return ModelFacts{"misheard", "1"} }

func (m mishearer) Hear(ctx context.Context, x []float32) (Hearing, error) {
	return mishearing{&babbling{m.babbler, x}}, ctx.Err()
}

type mishearing struct{ *babbling }

func (m mishearing) Decode(ctx context.Context, o DecodeOptions) ([]Decoding, error) {
	o.Beams = defaultBeams
	found, err := m.babbling.Decode(ctx, o)
	for i, t := range found[0].Tokens {
		if string(t.Text) == " left" {
			found[0].Tokens[i].Text = []byte(" right")
		}
	}
	return found, err
}

func TestACheckDoubtsAndChangesNoWord(t *testing.T) {
	t.Parallel()
	main := &babbler{seed: 3, slots: 1}
	r := &run{engine: main, check: mishearer{main}, settings: Settings{}.Freeze(main.Model())}
	e := &ear{engine: main, context: r.context(), samples: make([]float32, 20*audio.Rate)}
	s, err := e.decode(t.Context(), 0, len(e.samples), DecodeOptions{Beams: defaultBeams})
	if err != nil {
		t.Fatal(err)
	}
	before, words := s.IDs(), saidWords(s.Tokens)
	checked, err := r.crossCheck(t.Context(), e, &s, words)
	if err != nil {
		t.Fatal(err)
	}
	r.settleWords(&s, nil, nil, checked)
	sides := 0
	for _, d := range s.doubts {
		if d.kind == DoubtSide && strings.Contains(d.other, "right") {
			sides++
		}
	}
	if sides == 0 || !slices.Equal(before, s.IDs()) {
		t.Errorf("%d sides are doubted of %d disagreements, in %d words", sides, len(checked), len(words))
	}
}

func TestTheCheckIsFrozenWithTheSettings(t *testing.T) {
	t.Parallel()
	main, second := &babbler{seed: 1, slots: 2}, mishearer{&babbler{seed: 1, slots: 2}}
	pcm := tone(5 * audio.Rate)
	checked, err := Transcriber{Engine: main, Check: second}.Run(t.Context(), pcm, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if checked.Settings.Check == nil || *checked.Settings.Check != second.Model() {
		t.Errorf("settings say the check was %v", checked.Settings.Check)
	}
	_, err = Transcriber{Engine: main}.Run(t.Context(), pcm, RunOptions{Settings: checked.Settings})
	if f := fault.As(err); f == nil || f.Code != "model_mismatch" {
		t.Errorf("settings with a check, run without one: %v", err)
	}
}
