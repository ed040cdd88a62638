package followups

import (
	"regexp"
	"slices"
)

// hit is a place where a rule's words stand.
type hit struct {
	rule     *rule
	from, to int               // in the sentence
	groups   map[string]string // what the pattern names: to, what, drug, end
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
var excluded = regexp.MustCompile(`^(?:(?:return|returns|returning|come|comes|back|return back) (?:back )?(?:to )?(?:the )?(?:work|school|sports?|play|activity|activities|baseline|normal|function|driving|daily|full|exercise|duty|operating room|or\b|of|precautions|demonstration|for (?:evaluation|follow))|` +
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
func (r *reader) listed(before, h hit) bool {
	gap := r.low[before.to:h.from]
	if before.rule.Kind == Appointment && h.rule.Thing && withThing.MatchString(gap) {
		return true // "return in two weeks with a metabolic panel"
	}
	return glue.MatchString(gap) && !reason.MatchString(gap)
}
