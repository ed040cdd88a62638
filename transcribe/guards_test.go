package transcribe

import (
	"math"
	"strings"
	"testing"
)

func raws(text string, each float64) []rawWord {
	var out []rawWord
	for i, w := range strings.Fields(text) {
		out = append(out, rawWord{text: w, start: float64(i) * each, end: float64(i+1) * each, until: float64(i+1) * each, p: 0.9, logp: -0.1})
	}
	return out
}

func TestLoopsAreSeenAndSpokenListsAreNot(t *testing.T) {
	t.Parallel()
	for text, loops := range map[string]bool{
		"six, six, six": false,
		"no fever, no chills, no cough, no rash, no pain.":                         false,
		"lungs clear, heart regular, abdomen soft, lungs clear, heart regular":     false,
		"two two two two two two two two":                                          true,
		"and then I went and then I went and then I went home":                     true,
		"thank you thank you thank you thank you":                                  true,
		"the patient the patient the patient was seen":                             false,
		"number one number two number three number four number five number six":    false,
		"negative for A, negative for B, negative for C, negative for D":           false,
		strings.Repeat("I'm going to go to the bathroom. ", 5):                     true,
		"left knee pain, left knee pain, left knee pain, left knee pain, resolved": true,
	} {
		from, to, ok := findLoop(normals(raws(text, 0.4)))
		if ok != loops {
			t.Errorf("%q: loop %v at %d–%d", text, ok, from, to)
		}
	}
}

func TestALoopIsStruckAfterItsFirstSaying(t *testing.T) {
	t.Parallel()
	why := verdicts(attempt{evidence: evidence{words: raws("He is well. Take one pill daily Take one pill daily Take one pill daily Bye", 0.4), ended: true}},
		func(rawWord) float64 { return 1 })
	var kept []string
	for i, w := range raws("He is well. Take one pill daily Take one pill daily Take one pill daily Bye", 0.4) {
		if why[i] == "" {
			kept = append(kept, w.text)
		} else if why[i] != ReasonLoop {
			t.Errorf("%q is struck as %q", w.text, why[i])
		}
	}
	if got := strings.Join(kept, " "); got != "He is well. Take one pill daily Bye" {
		t.Errorf("kept %q", got)
	}
}

func TestTextOverNonSpeechIsStruckAndDictationIsNot(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text     string
		logp     float64 // of each word
		noSpeech float64
		loudOnly bool
		under    float64 // s of speech under each word
		struck   string
	}{
		{"[BLANK_AUDIO]", -0.1, 0.1, false, 0, "[BLANK_AUDIO]"},
		{"The knee (coughing) is swollen.", -0.1, 0, false, 1, "(coughing)"},
		{"The left (inner) knee [sic is swollen", -0.1, 0, false, 1, ""},
		{"♪ la la la ♪", -0.1, 0, false, 0, "♪ la la la ♪"},
		{"Follow up in two weeks. Thanks for watching!", -0.9, 0.1, false, 1, "Thanks for watching!"},
		{"Follow up in two weeks. Thank you.", -0.1, 0.1, false, 1, ""},
		{"Thank you.", -0.1, 0.1, false, 0, "Thank you."},
		{"He will be seen.", -0.9, 0.9, false, 1, "He will be seen."},
		{"He will be seen.", -0.3, 0.9, false, 1, ""},
		{"He will be seen.", -0.6, 0.1, true, 0, "He will be seen."},
		{"Allergic to penicillin.", -0.2, 0.1, true, 0, ""},
		{"End of paragraph.", -1.5, 0.14, false, 1, "End of paragraph."},
		{"Allergic to penicillin.", -1.5, 0.02, false, 1, ""},
		{"There is no effusion and no rash.", -1.5, 0.14, false, 1, ""},
	}
	for _, c := range cases {
		words := raws(c.text, 0.4)
		for i := range words {
			words[i].logp = c.logp
		}
		why := verdicts(attempt{evidence: evidence{words: words, noSpeech: c.noSpeech, logp: c.logp, loudOnly: c.loudOnly, ended: true}},
			func(rawWord) float64 { return c.under })
		var struck []string
		for i, w := range words {
			if why[i] != "" {
				struck = append(struck, w.text)
			}
		}
		if got := strings.Join(struck, " "); got != c.struck {
			t.Errorf("%q: struck %q, want %q", c.text, got, c.struck)
		}
	}
}

func TestTroubleIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		evidence
	}{
		{"", evidence{words: raws("He is well and takes his pills.", 0.4), ended: true, speech: 3}},
		{ReasonTooFew, evidence{words: raws("Yes", 0.4), ended: true, speech: 9}},
		{ReasonTooFew, evidence{ended: true, speech: 4}},
		{"", evidence{ended: true, speech: 2}},
		{ReasonTooFast, evidence{words: raws("a b c d e f g h i j k l m n o p", 0.1), ended: true, speech: 1.5}},
		{ReasonCut, evidence{words: raws("He is well", 0.4), ended: false, speech: 2}},
		{ReasonLoop, evidence{words: raws(strings.Repeat("and so on it goes ", 9), 0.4), ended: true, speech: 20}},
	} {
		want, e := c.want, c.evidence
		if got := e.trouble(); got != want {
			t.Errorf("got %q, want %q for %+v", got, want, e)
		}
	}
}

func TestTokensBecomeWordsWithTheLowestProbability(t *testing.T) {
	t.Parallel()
	tok := func(text string, p, end float64) Token { return Token{Text: []byte(text), LogP: math.Log(p), End: end} }
	got := assembleWords([]Token{
		tok(" Met", 0.9, 0.5), tok("form", 0.4, 0.8), tok("in", 0.8, 1), tok(",", 0.1, 1.6), tok(" 120", 0.9, 2.2), tok("/", 0.7, 2.3),
		tok("80", 0.95, 2.9), tok(".", 0.2, 3), tok(" Pi", 1, 3.4), tok("\xc3", 0.9, 3.5), tok("\xb1", 0.6, 3.7), tok("a", 1, 4),
	}, 4)
	want := []rawWord{{text: "Metformin,", p: 0.4, start: 0, end: 1}, {text: "120/80.", p: 0.7, start: 1.6, end: 2.9}, {text: "Piña", p: 0.6, start: 3, end: 4}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		if g := got[i]; g.text != w.text || math.Abs(g.p-w.p) > 1e-9 || g.start != w.start || g.end != w.end {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
	if got := assembleWords(nil, 4); len(got) != 0 {
		t.Errorf("no tokens give %+v", got)
	}
}

func TestAModelThatRecitesWhatItWasShownIsCaught(t *testing.T) {
	t.Parallel()
	shown := strings.Fields("the patient denies chest pain comma nausea comma or dyspnea period")
	for text, want := range map[string]bool{
		"he is well":                                               false,
		"the patient denies chest pain":                            false,
		"the patient denies chest pain comma nausea":               false,
		"well the patient denies chest pain comma nausea comma or": true,
	} {
		got := evidence{words: raws(text, 0.4), ended: true, speech: 9, shown: shown}.trouble() == ReasonPrompt
		if got != want {
			t.Errorf("%q: recited is %v", text, got)
		}
	}
}
