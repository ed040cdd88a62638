package followups

import (
	"regexp"
	"strings"
)

// judge decides whether a hit is a promise, and completes it.
func (r *reader) judge(h hit, from, to, i int, hits []hit, conditional bool) (Finding, bool) {
	from, to = r.near(h, from, to)
	before, end := r.low[from:h.from], to
	if i+1 < len(hits) && r.listed(h, hits[i+1]) {
		end = min(to, hits[i+1].from)
	}
	after := r.low[h.to:to]
	f := Finding{Kind: h.rule.Kind, Rule: h.rule.Name, From: from, To: r.trimEnd(to), With: target(h.groups["to"]), Pending: h.rule.Pending}
	if h.rule.Name == "pending result" && imagingWord(h.groups["what"]) {
		f.Kind = Imaging
	}
	for f.From < h.from && strings.IndexByte(" ,", r.low[f.From]) >= 0 {
		f.From++
	}
	m := modality(listed.ReplaceAllString(before, " "))
	if m == negated || notWanted.MatchString(after) || (gone.MatchString(after) && m != future) {
		return f, false
	}
	f.Due = r.when(h, from, to, end)
	if f.Due.Date != "" && f.Pending && !strings.HasPrefix(r.low[h.from:], "await") {
		f.Pending = !strings.Contains(r.low[h.from:h.to], "follow")
	}
	if m == tentative {
		f.Conditional, f.Condition = true, r.tentativeWord(before)
	}
	if h.rule.Kind == MedicationHold {
		return f, r.hold(h, &f, to) && m != past
	}
	f.Conditional = f.Conditional || conditional
	return f, r.committed(h, before, after, m, f)
}

var listed = regexp.MustCompile(`(?:labs?|orders?|imaging|tests?|today)[:,] `)

// committed says that the words amount to a promise, for where they stand.
func (r *reader) committed(h hit, before, after string, m cueKind, f Finding) bool {
	coming := f.Due.Date != "" || f.Due.AsNeeded || (f.Due.Words != "" && r.Day.IsZero())
	initial := initialWords.MatchString(before)
	if f.Due.Date != "" && f.Due.Date < write(r.Day) {
		return false
	}
	if h.rule.Thing && r.Report && m != future {
		return false
	}
	if h.rule.Thing {
		return r.thing(h, before, after, m, coming, initial)
	}
	switch {
	case h.rule.Pending && !r.Report:
		return m != past || strings.Contains(after, "pending")
	case r.Report && m != future && !placed.MatchString(after):
		return false
	case !r.Plan && f.Kind == Appointment && f.Due.Date != "" && f.Due.Date == write(r.Day):
		return false // "she returns today"
	case m == past || (m == ongoing && !strings.HasSuffix(strings.TrimSpace(before), " to")):
		return false
	case vague.MatchString(r.low[h.from:h.to]) && !coming && f.With == "" && f.Due.Words == "" && !f.Conditional:
		return false
	case r.Plan:
		return initial || m == future || m == tentative || coming || placed.MatchString(after)
	case f.Kind == Appointment && m != future && !coming:
		return initial && f.With != ""
	}
	return initial || m == future || m == tentative || (coming && f.Kind == Appointment && short(before))
}

// thing says whether a named test is one that is to be done.
func (r *reader) thing(h hit, before, after string, m cueKind, coming, initial bool) bool {
	ordered := orderVerb.MatchString(r.low[h.from:h.to])
	if outcome.MatchString(after) {
		return false
	}
	if h.rule.Kind != "" && attached.MatchString(before) && !r.Report {
		return true // beside a visit, which was judged
	}
	if argument.MatchString(before) && !asked.MatchString(before) {
		return false
	}
	if m == past || (m == ongoing && !strings.Contains(before, "continue to")) {
		return placed.MatchString(before) && m == past && !ordered
	}
	found := value.MatchString(after) && !coming || result.MatchString(after)
	if found && !placed.MatchString(after) {
		return false
	}
	switch {
	case ordered && weakVerb.MatchString(r.low[h.from:h.to]):
		return (initial && r.Plan) || m == future || m == tentative || coming || placed.MatchString(after)
	case ordered:
		return initial || m == future || m == tentative
	case m == future || m == tentative || placed.MatchString(after):
		return r.Plan || m == future && !strings.HasSuffix(before, "has ") && !strings.HasSuffix(before, "have ") || placed.MatchString(after) && !reported.MatchString(after)
	case r.Plan:
		return (initial || coming) && !bareResult(h, after, coming)
	}
	return coming && initial
}

var (
	// outcome after a test's name is what came of it, not the test.
	outcome = regexp.MustCompile(`^ (?:results?|findings|report|images)\b`)
	// attached is a visit before the name of a test that is due with it.
	attached = regexp.MustCompile(`\b(?:return|follow[- ]?up|come back|see (?:me|us)|rtc|recheck|back)\b[a-z0-9 -]{0,40}\b(?:with|for) (?:(?:a|an|the|some|his|her|repeat|fasting|and) )*$`)
)

// bareResult keeps words that only name what was discussed: "results", "levels", "surgery" without more.
func bareResult(h hit, after string, coming bool) bool {
	return emptyWords.MatchString(thingOf(h)) && !coming && strings.Trim(after, " .,;") == ""
}

func thingOf(h hit) string { return strings.ToLower(strings.TrimSpace(h.groups["what"])) }

var (
	initialWords = regexp.MustCompile(`^[\s,]*(?:(?:and|then|also|are|is|am|please|plan(?:s)?(?: is| will be)?(?: to| for)?|we|i|will|should|he|she|they|patient|the patient|pt|to|today|first|next|otherwise|again|discharge|discharged|home|continue with|at this (?:time|point)|let['’]s|go ahead and|for now|in addition|additionally|recommendations?|recommend|labs?|orders?|follow[- ]?up|imaging|disposition|close|early|ok to|okay to|now|stat|urgent|routine|a|an|the|his|her|their|our|with|(?:in|after|at) [a-z0-9-]+ [a-z]+,?|tomorrow,?|next week,?)[\s,:]+)*$`)
	orderVerb    = regexp.MustCompile(`^(?:check|recheck|re-check|repeat|order|reorder|obtain|get|draw|send|perform|schedule|arrange|set up|book|request|complete|do|follow|trend|monitor|add on|collect|need|needs|require|requires|undergo|have|start|begin|proceed|go for|return for|recommend|advise|suggest|pursue|plan|will need|is due|are due|due for) `)
	weakVerb     = regexp.MustCompile(`^(?:need|needs|require|requires|undergo|have|start|begin|do|follow|perform|complete|suggest|plan|will need|repeat) `)
	vague        = regexp.MustCompile(`^(?:call|phone|telephone|next (?:visit|appointment|follow[- ]?up|check|checkup|physical)|check in|touch base|check back|see|seen|seeing|return|returns|returning|come|comes|coming|recheck|re-check|reassess|re-evaluate|reevaluate)$`)
	reported     = regexp.MustCompile(`\b(?:was|were|had been) (?:ordered|scheduled|recommended|advised|requested|planned|sent)\b`)
	emptyWords   = regexp.MustCompile(`^(?:results?|levels?|trough|surgery|operation|scans?|imaging|films?|infusions?|dialysis|chemotherapy|therapy)$`)
)

func short(before string) bool { return len(strings.Fields(before)) <= 4 }

func (r *reader) tentativeWord(before string) string {
	all := cues[1].form.FindAllString(before, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
