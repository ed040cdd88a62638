package notes

import "vesper/transcribe"

// flagDoubts flags numbers that can be read in two ways.
func (s *scanner) flagDoubts(doubts []doubt) []Flag {
	var out []Flag
	for _, d := range doubts {
		out = append(out, s.flag(FlagNumber, Critical, d.section, d.tokens, s.heard(d.tokens), "Listen to “"+s.heard(d.tokens)+"”: "+d.detail+"."))
	}
	return out
}

// struckReasons explain why text was struck out, in plain words.
var struckReasons = map[string]string{
	"loop":       "The engine repeated itself here",
	"non_speech": "The engine wrote this where nobody speaks",
	"prompt":     "The engine repeated an example that it was shown",
	"phantom":    "The engine wrote a phrase that it often makes up",
}

// flagStruck flags what was taken out of the transcript, so that it can be put back.
func (s *scanner) flagStruck(spans []transcribe.Span) []Flag {
	var out []Flag
	for _, sp := range spans {
		if sp.Kind != transcribe.SpanStruck {
			continue
		}
		reason, known := struckReasons[sp.Reason]
		if !known {
			reason = "The engine wrote this, but the recording does not bear it out"
		}
		// A loop lies over real speech: what was said there is lost until somebody listens.
		severity := Notice
		if sp.Reason == transcribe.ReasonLoop {
			severity = Critical
		}
		text := NormalizeText(sp.Text)
		out = append(out, newFlag(Flag{
			Kind: FlagStruck, Severity: severity, Section: s.sectionAt(sp.Start), Text: text, Start: finite(sp.Start), End: finite(sp.End),
			Detail: reason + ". It was left out; put it back if it was said.",
		}))
	}
	return out
}

// troubles explain why a stretch cannot be relied on, in plain words.
var troubles = map[string]string{
	"loop":     "the engine repeated itself",
	"prompt":   "the engine repeated an example that it was shown",
	"cut":      "the text broke off",
	"too_fast": "there are more words than can be said in this time",
	"too_few":  "somebody speaks, but there is hardly a word",
}

// flagUnreliable flags stretches that the engine could not decode without trouble.
func (s *scanner) flagUnreliable(spans []transcribe.Span) []Flag {
	var out []Flag
	for _, sp := range spans {
		why, known := troubles[sp.Reason]
		if !known {
			why = "the text and the recording do not agree"
		}
		out = append(out, newFlag(Flag{
			Kind: FlagUnreliable, Severity: Critical, Section: s.sectionAt(sp.Start), Start: finite(sp.Start), End: finite(sp.End),
			Detail: "Unreliable: " + why + ", however it was tried. Listen to this stretch against the text.",
		}))
	}
	return out
}

// sectionAt is the section that was being dictated at a time.
func (s *scanner) sectionAt(at float64) string {
	section := s.tpl.Default()
	for _, seg := range s.segments {
		for _, it := range seg.items {
			if len(it.tokens) > 0 && s.tokens[it.tokens[0]].start <= at {
				section = seg.section
			}
		}
	}
	return section
}

// readings explain what is at stake where the engine heard two things.
var readings = map[transcribe.DoubtKind]string{
	transcribe.DoubtNumber: "a number", transcribe.DoubtUnit: "a unit", transcribe.DoubtFrequency: "how often",
	transcribe.DoubtNegation: "whether it is so or not", transcribe.DoubtSide: "a side or a place",
	transcribe.DoubtPrefix: "a word with an opposite that sounds alike", transcribe.DoubtDrug: "the name of a drug",
}

// flagReadings flags places where the engine could as well have heard something else, and drugs whose names it put right.
func (s *scanner) flagReadings(doubts []transcribe.Doubt) []Flag {
	var out []Flag
	for _, d := range doubts {
		stake, serious := readings[d.Kind]
		if !serious {
			continue
		}
		var tokens []int
		for i, t := range s.tokens {
			if t.word >= d.First && t.word <= d.Last {
				tokens = append(tokens, i)
			}
		}
		if len(tokens) == 0 {
			continue
		}
		section := s.sectionAt(s.tokens[tokens[0]].start)
		heard, other := NormalizeText(d.Heard), NormalizeText(d.Other)
		if d.Repaired && d.Kind == transcribe.DoubtDrug {
			out = append(out, s.flag(FlagReading, Notice, section, tokens, heard,
				"By its sound this is “"+heard+"”; at first the engine wrote “"+other+"”. Listen to it."))
			continue
		}
		severity := Critical
		if plainly(d) {
			severity = Notice // the engine preferred a plain word; the figure only sounds somewhat like it
		}
		out = append(out, s.flag(FlagReading, severity, section, tokens, heard,
			"This could be “"+heard+"” or “"+other+"”: "+stake+". Listen to it."))
	}
	return out
}

// uncovered leaves out the flags that lie over another list's.
func uncovered(flags, by []Flag) []Flag {
	var out []Flag
	for _, f := range flags {
		if !overlapsFlag(by, f.Start, f.End) {
			out = append(out, f)
		}
	}
	return out
}
