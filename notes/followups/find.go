package followups

import (
	"regexp"
	"slices"
	"strings"
)

// hit is a place where a rule's words stand.
type hit struct {
	rule     *rule
	from, to int               // in the sentence
	groups   map[string]string // what the pattern names: to, what, drug, end
}

// clause reads one clause. condition is what an earlier clause of the sentence made all depend on. lead is the condition
// that this clause sets for those after it.
func (r *reader) clause(cl clause, condition string) (out []Finding, lead string) {
	from, to := cl.from, cl.to
	whole := condition
	if begin, end, ok := r.condition(cl); ok {
		words := strings.TrimRight(strings.TrimSpace(r.text[begin:end]), ",.;")
		if begin == from || strings.TrimSpace(r.low[from:begin]) == "" {
			whole, lead, from = words, words, end
		} else {
			whole, to = words, begin
			if loose.MatchString(r.low[begin:]) || strings.HasSuffix(strings.TrimSpace(r.low[from:begin]), " or") {
				whole, to = condition, begin // "in two weeks or if it gets worse" stands by itself
			}
		}
	}
	hits := r.hits(from, to)
	last, accepted := -1, false
	for i, h := range hits {
		if last >= 0 && !r.listed(hits[last], h, accepted) {
			continue
		}
		f, ok := r.judge(h, from, to, i, hits, whole != "")
		if !ok {
			if last < 0 || !accepted {
				last, accepted = i, false
			}
			continue
		}
		if whole != "" {
			f.Conditional, f.Condition = true, whole
			if to < cl.to {
				f.To = r.trimEnd(cl.to)
			}
		}
		f.Owner = r.owner(h, f.From, f)
		if n := len(out); n > 0 && accepted && out[n-1].Kind == f.Kind && (h.rule.Thing || f.Kind == Referral) {
			r.join(&out[n-1], f)
		} else {
			out = append(out, f)
		}
		last, accepted = i, true
	}
	if len(out) == 0 && r.FollowUp && whole == "" {
		out = r.visit(cl)
	}
	return out, lead
}

var (
	ifs   = regexp.MustCompile(`\b(?:(?:with|for) (?:(?:any|new|worsening|increasing|increased|persistent|recurrent|severe) )*(?:fevers?|chills|bleeding|vomiting|redness|drainage|swelling|weakness|numbness|shortness of breath|chest pain|worsening|symptoms|signs of|concerns|questions|problems)\b|if|unless|in case|in the event|provided that|assuming|depending on|should (?:he|she|they|it|the|symptoms?|pain|fever|this|there|his|her) )`)
	loose = regexp.MustCompile(`^(?:if|unless) (?:needed|necessary|required)\b`)
	// precaution is an order that a complaint after it conditions: "call with fevers".
	precaution = regexp.MustCompile(`\b(?:call|return|come back|notify|go to|seek)\b`)
	begun      = regexp.MustCompile(`, | then |[ ,](?:please )?` + verbs + `\b`)
)

// condition finds the words that make a clause depend on something.
func (r *reader) condition(cl clause) (begin, end int, ok bool) {
	m := ifs.FindStringIndex(r.low[cl.from:cl.to])
	if m == nil {
		return 0, 0, false
	}
	begin = cl.from + m[0]
	if strings.HasPrefix(r.low[begin:], "should") && m[0] > 0 {
		return 0, 0, false
	}
	if before := r.low[cl.from:begin]; strings.HasPrefix(r.low[begin:], "with") || strings.HasPrefix(r.low[begin:], "for") {
		if _, at := dueIn(before, before, r.Day); at >= 0 || !precaution.MatchString(before) {
			return 0, 0, false // what a visit is for
		}
	}
	if strings.TrimSpace(r.low[cl.from:begin]) != "" { // it follows what it conditions, to the end
		return begin, cl.to, true
	}
	if b := begun.FindStringIndex(r.low[begin+2 : cl.to]); b != nil {
		return begin, begin + 2 + b[0] + 1, true
	}
	return begin, cl.to, true
}

// A promise is said in one breath: what is further away than window bytes has nothing to do with it. Both bounds keep the
// time for a text of any length in proportion to its length.
const (
	window   = 240
	mostHits = 64 // in one clause
)

// near narrows a clause to the window around a hit, without cutting a word.
func (r *reader) near(h hit, from, to int) (int, int) {
	begin, end := max(from, h.from-window), min(to, h.to+window)
	for begin > from && begin < h.from && r.low[begin] != ' ' {
		begin++
	}
	for end < to && r.low[end] != ' ' {
		end++
	}
	return begin, end
}

// hits finds the rules' words in a stretch; where two overlap, the one that begins first holds, then the longer one.
func (r *reader) hits(from, to int) []hit {
	var all []hit
	for i := from; i < to && len(all) < mostHits; i++ {
		if beginsWord(r.low, i) {
			all = append(all, r.hitsAt(i, to)...)
		}
	}
	slices.SortStableFunc(all, func(a, b hit) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	kept := all[:0]
	for _, h := range all {
		if excluded.MatchString(r.low[h.from:]) || (len(kept) > 0 && h.from < kept[len(kept)-1].to) {
			continue
		}
		kept = append(kept, h)
	}
	return kept
}

// hitsAt tries every rule at the word at byte i.
func (r *reader) hitsAt(i, to int) []hit {
	to = min(to, i+window)
	var out []hit
	for k := range table() {
		rule := &table()[k]
		for _, p := range rule.Patterns {
			if !p.canBegin(r.low[i:to]) {
				continue
			}
			m := p.re.FindStringSubmatchIndex(r.low[i:to])
			if m == nil {
				continue
			}
			h := hit{rule: rule, from: i, to: i + m[1], groups: map[string]string{}}
			for g, name := range p.re.SubexpNames() {
				if name != "" && m[2*g] >= 0 {
					h.groups[name] = r.text[i+m[2*g] : i+m[2*g+1]]
				}
			}
			out = append(out, h)
		}
	}
	return out
}

// excluded are words that look like an order and are none.
var excluded = regexp.MustCompile(`^(?:(?:return|returns|returning|come|comes|back|return back) (?:back )?(?:to )?(?:the )?(?:work|school|sports?|play|activit(?:y|ies)|baseline|normal|function|driving|daily|full|exercise|duty|operating room|or\b|of|precautions|demonstration|for (?:evaluation|follow))|` +
	`see (?:above|below|hpi|note|notes|attached|orders?|list|med|medication|instructions|separate|procedure|flowsheet|chart|scanned|full|dictated|my|prior|details|also)|` +
	`follow[- ]?up (?:of|visit for|is with us)\b|call (?:bell|light|schedule|coverage)|on call|hold (?:pressure|parameters?|still|his|her breath)|get (?:up|out|better|worse|around)|` +
	`send(?:s|ing)? (?:him|her|them) home|draw (?:sheet|conclusion)|check (?:mark|in)|labs? coats?|surgery (?:note|date)|note to (?:self|file))`)

var (
	glue = regexp.MustCompile(`(?:,|,? and|,? or|;|,? plus|,? along with|,? as well as|/|\+| &) ?(?:(?:also|then|a|an|the|his|her|their|some) )*$|^ ?(?:,|and|/|\+|&)? ?$`)
	// withThing may stand between a visit and the test that is due with it.
	withThing = regexp.MustCompile(`^[a-z0-9 -]{0,40}\b(?:with|for) (?:(?:a|an|the|some|his|her|repeat|fasting|and) )*$`)
	reason    = regexp.MustCompile(`\b(?:for|with|about|regarding|to|after|before|until|if|prior to|pending|due to|because)\b`)
)

// listed says that a hit goes on the list that an earlier one began: "CBC, CMP and a chest x-ray".
func (r *reader) listed(before, h hit, _ bool) bool {
	gap := r.low[before.to:h.from]
	if before.rule.Kind == Appointment && h.rule.Thing && withThing.MatchString(gap) {
		return true // "return in two weeks with a metabolic panel"
	}
	return glue.MatchString(gap) && !reason.MatchString(gap)
}

// judge decides whether a hit is a promise, and completes it.
func (r *reader) judge(h hit, from, to, i int, hits []hit, conditional bool) (Finding, bool) {
	from, to = r.near(h, from, to)
	before, end := r.low[from:h.from], to
	if i+1 < len(hits) && r.listed(h, hits[i+1], true) {
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

// trimEnd leaves out the mark that ends a clause.
func (r *reader) trimEnd(to int) int {
	for to > 0 && strings.IndexByte(" .,;", r.low[to-1]) >= 0 {
		to--
	}
	return to
}

// join puts a second thing of the same kind to the first: "CBC and CMP" is one order.
func (r *reader) join(into *Finding, f Finding) {
	into.To = max(into.To, f.To)
	if into.Due.String() == "" {
		into.Due = f.Due
	}
	if f.With != "" && !strings.Contains(into.With, f.With) {
		into.With = strings.Trim(into.With+", "+f.With, ", ")
	}
}

// visit is a time alone under the heading "Follow-up".
func (r *reader) visit(cl clause) []Finding {
	d, at := dueIn(r.text[cl.from:cl.to], r.low[cl.from:cl.to], r.Day)
	if at < 0 {
		if m := bareLength.FindStringSubmatch(r.low[cl.from:cl.to]); m != nil {
			d, at = r.bare(cl.from, cl.to)
		}
	}
	if at < 0 || modality(r.low[cl.from:cl.from+at]) != none || len(strings.Fields(r.low[cl.from:cl.to])) > 8 {
		return nil
	}
	return []Finding{{Kind: Appointment, Rule: "time under follow-up", From: cl.from, To: r.trimEnd(cl.to), Due: d, Owner: ByPractice}}
}
