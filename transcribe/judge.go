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
	z := -3.08 + 0.250*told + 0.041*clamp(p.Alone, -25, 5) + 0.75*p.Distance + 0.22*p.English -
		1.34*max(p.Surest, -4) + 0.51*p.Weight - 0.083*clamp(told-rival, -12, 12) + 0.082*float64(min(p.Length, 14))
	if p.Known {
		z++ // not fitted: the dictations for fitting come without a patient
	}
	if p.Second {
		z += 1.11
	}
	if p.Figures {
		z += 1.27
	}
	if p.Drug {
		z += 0.78 - surerDrug
	}
	return z
}

const (
	farthest  = 0.36
	never     = -99.0
	surerDrug = 0.85 // 70 % where other terms need 50 %
	plainGain = 1.0  // nats
)

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// suggestFrom is the judgement from which a change that is not made is shown to a person.
const suggestFrom = -1.0
