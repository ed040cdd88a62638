package whisper

import (
	"errors"
	"fmt"
	"math"
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
