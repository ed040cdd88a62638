package followups

import (
	"regexp"
	"strings"
)

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
		if last >= 0 && !r.listed(hits[last], h) {
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
