package transcribe

// strikeNoise strikes words in a row that stand over sound in which the detector hears no speech at all, when the model
// itself doubts them: music or laughter between two sentences.
func strikeNoise(c Chunk, words []rawWord, why []string) {
	for from := 0; from < len(words); from++ {
		to, logp := from, 0.0
		for to < len(words) && why[to] == "" && c.overLoud(words[to]) {
			logp += words[to].logp
			to++
		}
		if to == from {
			continue
		}
		if logp/float64(to-from) < loudLogP {
			for i := from; i < to; i++ {
				why[i] = ReasonNonSpeech
			}
		}
		from = to
	}
}

// overLoud says that a word stands over a stretch that is only loud, and over no speech.
func (c Chunk) overLoud(w rawWord) bool {
	p := place(w, c)
	var loud float64
	for _, s := range c.Speech {
		lo, hi := max(p.Start, seconds(s.From)), min(p.End, seconds(s.To))
		switch {
		case hi <= lo:
		case !s.Loud:
			return false
		default:
			loud += hi - lo
		}
	}
	return loud >= (p.End-p.Start)/2
}
