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
		if z += 0.82 - surerDrug; p.risksDrug() {
			z = min(z, justBelow)
		}
	}
	return z
}

// risksDrug says that a drug may be the wrong one, however well it scores: another drug sounds clearly more like what was
// heard, or it sounds too little like it, or it is only a part of what the second pass wrote. It is then a suggestion.
func (p proposal) risksDrug() bool {
	return p.Outdone || p.Told < 1 || p.Distance > drugFarthest && p.Told < 8 || p.Part && (p.Told < 4 || p.Distance > 0.2)
}

const (
	farthest  = 0.36
	never     = -99.0
	justBelow = -0.1

	drugFarthest = 0.26
	outdoneBy    = 0.04 // distance by which another drug is clearly nearer

	surerDrug = 1.73 // 85 % where other terms need 50 %: from there on no drug was wrong
	plainGain = 0.3  // nats
)

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// suggestFrom is the judgement from which a change that is not made is shown to a person.
const suggestFrom = -1.0
