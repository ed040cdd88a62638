package transcribe

// judge is above 0 for a proposal that should be made. The figures are those of a logistic regression over what the second
// pass proposed on the dictations that may be used for fitting (bench/asr/fit); changes that would harm count three times.
// A drug must be surer than other terms. Some changes are never made without a person, however sure.
func (p proposal) judge() float64 {
	if p.Guarded || p.Distance > farthest || p.WasTerm && (p.last-p.first == 1 || p.Told < 6) {
		return never
	}
	if p.Plain { // no term, but the search told of terms went another way here: right if the model agrees when told nothing
		return min(p.Alone-plainGain, p.Told-plainGain)
	}
	if in := figures(p.text); in != "" && in != figures(p.heard) {
		return never
	}
	told, rival := clamp(p.Told, -12, 12), clamp(p.Rival, -12, 12)
	z := -3.08 + 0.189*told + 0.056*clamp(p.Alone, -25, 5) - 0.77*p.Distance - 1.05*max(p.Surest, -4) + 0.92*p.Weight -
		0.061*clamp(told-rival, -12, 12) + 0.096*float64(min(p.Length, 14))
	if p.Known {
		z++ // not fitted: the dictations for fitting come without a patient
	}
	if p.Second {
		z += 2.59
	}
	if p.Figures {
		z += 1.33
	}
	if p.Drug {
		z += 0.82 - surerDrug
	}
	return z
}

const (
	farthest  = 0.36
	never     = -99.0
	surerDrug = 1.73 // 85 % where other terms need 50 %: from there on no drug was wrong
	plainGain = 0.3  // nats
)

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// suggestFrom is the judgement from which a change that is not made is shown to a person.
const suggestFrom = -1.0
