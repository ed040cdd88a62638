package transcribe

import (
	"context"
	"fmt"

	"vesper/internal/fault"
)

// crossCheck listens to a segment with the second model, where there is one, and doubts each place where it hears other risk
// words. It changes nothing: whichever model is right, a person should listen there.
func (r *run) crossCheck(ctx context.Context, e *ear, s *segment, words []said) ([]risky, error) {
	if r.check == nil {
		return nil, nil
	}
	hearing, err := r.check.Hear(ctx, e.samples[s.from:s.to])
	if err != nil {
		return nil, fmt.Errorf("cross-check: %w", err)
	}
	defer hearing.Close()
	found, err := hearing.Decode(ctx, DecodeOptions{Context: r.contextFor(r.check)})
	if err != nil {
		return nil, fmt.Errorf("cross-check: %w", err)
	}
	return disagreements(words, saidWords(found[0].Tokens)), nil
}

// disagreements are the places where two models heard different risk words.
func disagreements(words, others []said) []risky {
	var out []risky
	for _, d := range differences(words, others) {
		d = d.withNeighbour(words, others)
		if d.i1 == d.i2 || d.j1 == d.j2 || d.i2-d.i1 > longestSpan+1 || d.j2-d.j1 > longestSpan+1 {
			continue
		}
		heard, other := joinSaid(words[d.i1:d.i2]), joinSaid(others[d.j1:d.j2])
		if risksOf(heard) != risksOf(other) {
			out = append(out, risky{from: words[d.i1].from, to: words[d.i2-1].to, kind: riskKind(heard, other), heard: heard, other: other})
		}
	}
	return out
}

// checkedBy notes which second model checks, or refuses settings that were frozen with another one.
func (r *run) checkedBy(check Engine) error {
	var have ModelFacts
	if check != nil {
		have = check.Model()
	}
	if r.settings.Check == nil && check != nil {
		r.settings.Check = &have
	}
	if r.settings.Check == nil || *r.settings.Check == have {
		r.check = check
		return nil
	}
	return fault.Wrap(fmt.Errorf("frozen %s %s, loaded %s %s", r.settings.Check.Name, r.settings.Check.SHA256, have.Name, have.SHA256),
		fault.Unavailable, "model_mismatch",
		"This dictation was queued for another cross-check model than the one that is loaded. Start a worker with that model, or queue it again.")
}
