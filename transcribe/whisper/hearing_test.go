package whisper

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"vesper/transcribe"
)

func TestDecodingIsTheSameEveryTimeEvenWhenSampling(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	x := speech(t)
	for _, temperature := range []float64{0, 0.4} {
		var want string
		for i := range 2 {
			d, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en, Temperature: temperature, Beams: 4})
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%v", d)
			if i > 0 && got != want {
				t.Fatalf("at temperature %v:\n%s\nthen\n%s", temperature, want, got)
			}
			want = got
		}
	}
}

func TestAMaskedTokenIsNeverWritten(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	x := speech(t)
	free, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en})
	if err != nil {
		t.Fatal(err)
	}
	masked := free.IDs()[4]
	for _, beams := range []int{1, 4} {
		d, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en, Beams: beams, Mask: []int{masked}})
		if err != nil || len(d.Tokens) == 0 {
			t.Fatalf("%d beams: %d tokens, %v", beams, len(d.Tokens), err)
		}
		if slices.Contains(d.IDs(), masked) {
			t.Errorf("%d beams: the masked token was written", beams)
		}
	}
}

func TestWhatWasSaidScoresAboveWhatWasNot(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	h, err := p.Hear(t.Context(), speech(t))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	found, err := h.Decode(t.Context(), transcribe.DecodeOptions{Context: en})
	if err != nil {
		t.Fatal(err)
	}
	base := found[0].IDs()
	at := len(p.Encode(" And so my fellow"))
	right, wrong := p.Encode(" Americans, ask not what your country"), p.Encode(" Armenians, ask not what your county")
	scores, err := h.Score(t.Context(), en, base, []transcribe.Edit{{At: at, Tokens: right}, {At: at, Tokens: wrong}, {At: len(base), Tokens: right[:1]}})
	if err != nil {
		t.Fatal(err)
	}
	// Greedy decoding and teacher forcing ask the same network the same question.
	for i, token := range found[0].Tokens[2:] {
		if math.Abs(scores.Base[i+2]-token.LogP) > 0.15 {
			t.Errorf("token %d: decoded at %.2f, scored at %.2f", i+2, token.LogP, scores.Base[i+2])
		}
	}
	sum := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	if d := sum(scores.Edits[0]) - sum(scores.Base[at:at+len(right)]); math.Abs(d) > 0.3 {
		t.Errorf("the same words score %.2f apart in the base and as an edit", d)
	}
	if d := sum(scores.Edits[0]) - sum(scores.Edits[1]); d < 5 {
		t.Errorf("right words are only %.2f above wrong ones", d)
	}
	if _, err := h.Score(t.Context(), en, base, []transcribe.Edit{{At: len(base) + 1, Tokens: right}}); !errors.Is(err, errInput) {
		t.Errorf("an edit behind the end: %v", err)
	}
}

func TestRivalsAreTheLikeliestOtherTokens(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	h, err := p.Hear(t.Context(), speech(t))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	base := p.Encode(" And so my fellow Armenians")
	scores, err := h.Score(t.Context(), en, base, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, rivals := range scores.Rivals {
		if len(rivals) == 0 {
			t.Fatalf("token %d has no rivals", i)
		}
		// Each rival's probability is that which it has when it stands there itself.
		r := rivals[0]
		other, err := h.Score(t.Context(), en, append(base[:i:i], r.ID), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := other.Base[i]; math.Abs(got-r.LogP) > 0.1 || r.ID == base[i] {
			t.Errorf("token %d: rival %q at %.2f, scored at %.2f", i, p.Bytes(r.ID), r.LogP, got)
		}
		for k := range rivals[1:] {
			if rivals[k].LogP < rivals[k+1].LogP {
				t.Errorf("token %d: rivals out of order: %v", i, rivals)
			}
		}
	}
	at := len(p.Encode(" And so my fellow"))
	if got := string(p.Bytes(scores.Rivals[at][0].ID)); got != " Americans" {
		t.Errorf("instead of Armenians: %q", got)
	}
}

// TestBothDecodersHearTheSame holds our own decoder against the library's, which is slower and stands in where the
// processor lacks the instructions.
func TestBothDecodersHearTheSame(t *testing.T) {
	x := speech(t)
	score := func() ([]transcribe.Token, transcribe.Scores) {
		p := newPool(t, func(c *Config) { c.Children = 1 })
		h, err := p.Hear(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		found, err := h.Decode(t.Context(), transcribe.DecodeOptions{Context: en, Beams: 5})
		if err != nil {
			t.Fatal(err)
		}
		base := found[0].IDs()
		edits := []transcribe.Edit{{At: 3, Tokens: p.Encode(" Armenians, ask not")}, {At: 5, Tokens: p.Encode(" do not ask what your county")}}
		told := transcribe.Context{Language: "en", Prompt: p.Encode(" Kennedy, inauguration.")}
		s, err := h.Score(t.Context(), told, base, edits)
		if err != nil {
			t.Fatal(err)
		}
		return found[0].Tokens, s
	}
	tokens, ours := score()
	t.Setenv("VESPER_ENGINE_KERNELS", "off")
	theirTokens, theirs := score()
	if len(tokens) != len(theirTokens) {
		t.Fatalf("%d tokens, the library's decoder hears %d", len(tokens), len(theirTokens))
	}
	for i := range tokens {
		if tokens[i].ID != theirTokens[i].ID {
			t.Errorf("token %d is another", i)
		}
	}
	far, n := 0.0, 0
	for k, row := range append([][]float64{ours.Base}, ours.Edits...) {
		for i, v := range row {
			other := append([][]float64{theirs.Base}, theirs.Edits...)[k][i]
			far, n = far+math.Abs(v-other), n+1
			// Unlikely tokens differ more: their logits lie far below the others.
			if limit := 0.1 + 0.1*math.Abs(other); math.Abs(v-other) > limit {
				t.Errorf("score %d of text %d is %.2f, by the library %.2f", i, k, v, other)
			}
		}
	}
	if far/float64(n) > 0.05 {
		t.Errorf("scores are %.3f apart in the mean", far/float64(n))
	}
	t.Logf("scores are %.4f apart in the mean", far/float64(n))
}
