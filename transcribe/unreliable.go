package transcribe

import "slices"

// distrust gives the words of chunks that no attempt could decode without trouble the reason why, cutting their spans where
// such a chunk begins and ends. Spans tile before and after.
func distrust(spans, doubtful []Span) []Span {
	if len(doubtful) == 0 {
		return spans
	}
	var out []Span
	for _, s := range spans {
		if s.Kind != SpanWords {
			out = append(out, s)
			continue
		}
		for _, d := range doubtful {
			from, to := max(s.Start, d.Start), min(s.End, d.End)
			if to-from < shortestSpan/2 {
				continue
			}
			if from > s.Start {
				out = append(out, Span{Start: s.Start, End: from, Kind: SpanWords})
			}
			out = append(out, Span{Start: from, End: to, Kind: SpanWords, Reason: d.Reason})
			s.Start = to
		}
		if s.End > s.Start {
			out = append(out, s)
		}
	}
	return joinWordSpans(out)
}

// Unreliable lists the stretches whose words no attempt could decode without trouble, each with the reason: pauses within
// a stretch belong to it. A person should hear them against the text.
func (t Transcript) Unreliable() []Span {
	var out []Span
	for i, s := range t.Spans {
		if s.Kind != SpanWords || s.Reason == "" {
			continue
		}
		n := len(out)
		between := slices.ContainsFunc(t.Spans[:i], func(b Span) bool {
			return n > 0 && b.Start >= out[n-1].End && b.Kind == SpanWords && b.Reason != s.Reason
		})
		if n > 0 && out[n-1].Reason == s.Reason && !between {
			out[n-1].End = s.End
			continue
		}
		out = append(out, Span{Start: s.Start, End: s.End, Kind: SpanWords, Reason: s.Reason})
	}
	return out
}
