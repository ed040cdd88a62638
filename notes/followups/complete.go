package followups

import (
	"regexp"
	"strings"
	"unicode"
)

// when reads the time of a hit: after it, up to the next one; else at the end of the clause, for a list; else before it.
func (r *reader) when(h hit, from, to, end int) Due {
	if h.rule.Kind == MedicationHold {
		return Due{}
	}
	for _, span := range [][2]int{{h.from, end}, {end, to}, {from, h.from}} {
		if span[0] >= span[1] {
			continue
		}
		if d, at := dueIn(r.text[span[0]:span[1]], r.low[span[0]:span[1]], r.Day); at >= 0 {
			return d
		}
	}
	if h.rule.Kind == Appointment {
		d, _ := r.bare(h.from, to)
		if d.Words == "" {
			d, _ = r.bare(from, h.from)
		}
		if d.Words != "" {
			return d
		}
	}
	return r.labelDue
}

// bare reads an interval that has no word before it which makes it a time to come.
func (r *reader) bare(from, to int) (Due, int) {
	m := bareLength.FindStringSubmatchIndex(r.low[from:to])
	if m == nil {
		return Due{}, -1
	}
	if rest := r.low[from+m[1]:]; strings.HasPrefix(rest, "-old") || strings.HasPrefix(rest, " old") {
		return Due{}, -1 // an age
	}
	lead := strings.TrimSpace(r.low[from : from+m[0]])
	if w := lastWord(lead); w != "" && duration.MatchString(w) && duration.FindString(w) == w {
		return Due{}, -1
	}
	g := []string{"", r.low[from+m[2] : from+m[3]], r.low[from+m[4] : from+m[5]]}
	d := Due{Words: r.text[from+m[0] : from+m[1]]}
	if !r.Day.IsZero() {
		d.Date = counted(g, r.Day)
	}
	return d, m[0]
}

var (
	holdEnd   = regexp.MustCompile(`\b(?:for(?: the next)?|x|times|over the next) ` + length)
	holdUntil = regexp.MustCompile(`\b(?:until|till|through) [^.;]+`)
	holdFrom  = regexp.MustCompile(`\b(?:(?:beginning|starting) )?` + length + ` (?:before|prior to|ahead of|after|following)\b[^.;,]*`)
	drugClass = regexp.MustCompile(`\b(?:anticoagulants?|anticoagulation|blood thinners?|antiplatelets?|diuretics?|nsaids?|anti-?inflammatories|antihypertensives?|ace inhibitors?|arbs?|statins?|beta blockers?|steroids?|insulin|` +
		`antibiotics?|metformin|aspirin|coumadin|eliquis|xarelto|plavix|lasix|contact lens(?:es)?|blood pressure (?:medications?|meds)|medications?|meds|supplements?|fish oil|dose|doses|sglt2 inhibitors?|glp-1s?|doacs?|biologics?|chemotherapy|immunosuppressants?)\b`)
)

// hold completes a held drug: the end of the hold is its due time. Without a drug it is none.
func (r *reader) hold(h hit, f *Finding, to int) bool {
	drug := strings.ToLower(h.groups["drug"])
	known := drugClass.MatchString(drug)
	for _, w := range strings.FieldsFunc(drug, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '-' }) {
		known = known || (r.Drug != nil && r.Drug(w))
	}
	if !known {
		return false
	}
	low, text := r.low[h.from:to], r.text[h.from:to]
	switch {
	case strings.HasPrefix(low, "resume") || strings.HasPrefix(low, "restart"):
		f.Due, _ = dueIn(text, low, r.Day)
		if f.Due.Words == "" {
			f.Due.Words = strings.TrimSpace(text[len(strings.TrimSuffix(r.low[h.from:h.to], strings.ToLower(h.groups["end"]))):])
			f.Due.Words = strings.TrimRight(f.Due.Words, ".,; ")
		}
		return true
	case holdFrom.MatchString(low):
		m := holdFrom.FindStringIndex(low)
		f.Due = Due{Words: strings.TrimRight(text[m[0]:m[1]], " ")}
	case holdEnd.MatchString(low):
		m := holdEnd.FindStringSubmatchIndex(low)
		f.Due = Due{Words: text[m[0]:m[1]]}
		if !r.Day.IsZero() {
			f.Due.Date = counted([]string{"", low[m[2]:m[3]], low[m[4]:m[5]]}, r.Day)
		}
	case holdUntil.MatchString(low):
		m := holdUntil.FindStringIndex(low)
		f.Due, _ = dueIn(text[m[0]:m[1]], low[m[0]:m[1]], r.Day)
		f.Due.Words = strings.TrimRight(text[m[0]:m[1]], ", ")
	default:
		f.Due, _ = dueIn(text, low, r.Day)
	}
	return true
}

var (
	leading  = regexp.MustCompile(`^(?i:(?:the|a|an|his|her|their|my|our|see|to|with|for) )+`)
	practice = regexp.MustCompile(`^(?i:us|me|myself|(?:the |our |my )?(?:office|clinic|nurse|practice))$`)
	trailing = regexp.MustCompile(`(?i:,| and| for| in| at| on| with| by| to| next| this| the)+$`)
)

// target cleans whom a promise is addressed to. A doctor's name ends where capitals end.
func target(s string) string {
	s = strings.TrimSpace(s)
	if low := strings.ToLower(s); strings.HasPrefix(low, "dr") || strings.HasPrefix(low, "doctor") {
		words := strings.Fields(s)
		if len(words) > 2 {
			if c := []rune(words[2]); !unicode.IsUpper(c[0]) {
				words = words[:2]
			}
		}
		return trailing.ReplaceAllString(strings.Join(words, " "), "")
	}
	s = trailing.ReplaceAllString(leading.ReplaceAllString(s, ""), "")
	switch strings.ToLower(s) {
	case "us", "me", "myself", "office", "clinic", "practice", "nurse":
		return "practice"
	case "him", "her", "them", "patient":
		return "patient"
	}
	return s
}

var (
	byPatient  = regexp.MustCompile(`\b(?:he|she|they|patient|pt|mom|mother|dad|father|parents?|family|you) (?:will|should|is to|are to|to|can|may|must|was advised to|was instructed to|was told to|is going to|agrees? to|has been (?:instructed|advised|asked|told) to|needs? to)\b`)
	bySelf     = regexp.MustCompile(`\b(?:i|i['’]ll|me)\b`)
	byPractice = regexp.MustCompile(`\b(?:we|our office|our nurse|nurse|nursing|staff|front desk|ma|medical assistant|office)\b`)
)

// owner says who has to do it: the subject if one is said, else who usually does such things.
func (r *reader) owner(h hit, from int, f Finding) string {
	before := r.low[from:h.from]
	passive := strings.Contains(before, " be ")
	switch {
	case f.Kind == Call && practice.MatchString(strings.TrimSpace(h.groups["to"])), f.With == "911":
		return ByPatient
	case bySelf.MatchString(before):
		return ByPhysician
	case byPractice.MatchString(before):
		return ByPractice
	case byPatient.MatchString(before) && !passive:
		return ByPatient
	case f.Kind == Call && f.Conditional && f.With == "":
		return ByPatient
	}
	return ByPractice
}

func imagingWord(what string) bool {
	return imagingWords.MatchString(strings.ToLower(what))
}

var imagingWords = regexp.MustCompile(`\b(?:mri|mra|mrcp|ct|cta|scan|x-?ray|ultrasound|echo|echocardiogram|mammogram|imaging|dexa|doppler|pet|radiograph|films?|duplex|angiogram)s?\b`)
