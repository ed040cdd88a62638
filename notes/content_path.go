package notes

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"vesper/notes/templates"
)

// router finds the way of units through the sections of a template.
type router struct {
	sections []templates.Section
	first    string // where the text begins if nothing says otherwise
}

// path is the section of each unit: of all ways through the sections the one with the highest sum of scores, less the
// costs of moving (Viterbi's algorithm).
func (r router) path(units []unit) []string {
	n := len(r.sections)
	best := make([]float64, n)
	for k, section := range r.sections {
		best[k] = -costFirst - costLate*float64(k)/float64(n)
		if section.Key == r.first {
			best[k] = 0
		}
		best[k] += r.score(units[0], section)
	}
	from := make([][]int, len(units))
	for i := 1; i < len(units); i++ {
		next := make([]float64, n)
		from[i] = make([]int, n)
		for k, section := range r.sections {
			next[k] = math.Inf(-1)
			for j := range r.sections {
				if v := best[j] - cost(j, k, units[i]); v > next[k] {
					next[k], from[i][k] = v, j
				}
			}
			next[k] += r.score(units[i], section)
		}
		best = next
	}
	at := 0
	for k := range best {
		if best[k] > best[at] {
			at = k
		}
	}
	out := make([]string, len(units))
	for i := len(units) - 1; i >= 0; i-- {
		out[i] = r.sections[at].Key
		if i > 0 {
			at = from[i][at]
		}
	}
	return out
}

// settle takes back moves to sections for which nothing speaks: what is unclear stays with what stands before it.
func (r router) settle(units []unit, path []string) {
	for i := 0; i < len(path); {
		j, sum := i, 0.0
		for j < len(path) && path[j] == path[i] {
			sum += max(0, r.scoreOf(units[j], path[i]))
			j++
		}
		if sum == 0 && i > 0 {
			for k := i; k < j; k++ {
				path[k] = path[i-1]
			}
		}
		i = j
	}
}

func (r router) scoreOf(u unit, key string) float64 {
	for _, section := range r.sections {
		if section.Key == key {
			return r.score(u, section)
		}
	}
	return 0
}

// cost of moving from section j to section k.
func cost(j, k int, u unit) float64 {
	c := 0.0
	switch {
	case k > j:
		c = costForward
	case k < j:
		c = costBackward
	}
	if c > 0 && u.fresh {
		c -= easeFresh
	}
	if c > 0 && u.leans {
		c += costLeans
	}
	return c
}

// score says how much a unit speaks for a section.
func (r router) score(u unit, section templates.Section) float64 {
	if u.list && !u.fixed {
		return r.listScore(u, section)
	}
	sum := 0.0
	if len(section.SatisfiedBy) > 0 || !r.stands(section) {
		sum = min(cueScore(u.keys, section.Cues), mostPerUnit)
	}
	if sum == 0 && section.Brief {
		sum = -strayBrief
	}
	if u.hint == section.Key {
		sum += hintWeight
		if u.fixed {
			sum += 100 // no content outweighs a heading
		}
	}
	return sum
}

// listScore keeps a numbered list out of sections that are not laid out as one.
func (r router) listScore(u unit, section templates.Section) float64 {
	if section.Layout != templates.Numbered {
		return 0
	}
	return 2 + min(cueScore(u.keys, section.Cues), mostPerUnit)
}

// stands says that the section stands for others ("assessment and plan"): only lists and alternating text go there.
func (r router) stands(section templates.Section) bool {
	for _, other := range r.sections {
		for _, key := range other.SatisfiedBy {
			if key == section.Key && other.Layout == templates.Numbered {
				return true
			}
		}
	}
	return false
}

// skippable words may stand before the words that a cue wants at the beginning.
var skippable = wordSet("and also today currently now then so otherwise again additionally next finally")

// cueScore is the sum of the weights of the cues that the words have, each counted once.
func cueScore(keys []string, cues []templates.Cue) float64 {
	begin := 0
	for begin < 2 && begin < len(keys) && skippable[keys[begin]] {
		begin++
	}
	sum := 0.0
	for _, c := range cues {
		if c.Start {
			if cueAt(keys, begin, c.Words) || begin > 0 && cueAt(keys, 0, c.Words) {
				sum += c.Weight
			}
			continue
		}
		for i := range keys {
			if cueAt(keys, i, c.Words) {
				sum += c.Weight
				break
			}
		}
	}
	return sum
}

func cueAt(keys []string, i int, words []string) bool {
	if words[0] == "<verbless>" {
		return verbless(keys)
	}
	if i+len(words) > len(keys) {
		return false
	}
	for j, w := range words {
		if keys[i+j] != w && (w[0] != '<' || !inClass(keys[i+j], w)) {
			return false
		}
	}
	return true
}

var (
	pressureForm = regexp.MustCompile(`^\d{2,3}/\d{2,3}$`)
	ageForm      = regexp.MustCompile(`^\d{1,3}(yo|yom|yof)$`)
)

// inClass says that a word is of a class that cues can name.
func inClass(key, class string) bool {
	switch class {
	case "<number>":
		return numberLike(key)
	case "<pressure>":
		return pressureForm.MatchString(key)
	case "<drug>":
		return drugLike(key)
	case "<age>":
		return ageForm.MatchString(key)
	case "<any>":
		return true
	}
	return templates.InClass(key, strings.Trim(class, "<>"))
}

// verbless says that words are a phrase and not a sentence.
func verbless(keys []string) bool {
	return len(keys) > 0 && keys[0] != "no" && !slices.ContainsFunc(keys, func(k string) bool { return templates.InClass(k, "verb") })
}

// cueKeys are the words of an item for comparison with cues; hyphens part words.
func (s *scanner) cueKeys(it item) []string {
	if it.kind != itemWord && it.kind != itemLabel {
		return nil
	}
	var out []string
	for _, t := range it.tokens {
		out = append(out, strings.FieldsFunc(s.tokens[t].key, func(r rune) bool { return r == '-' })...)
	}
	return out
}

// endsSentence says that a sentence ends with the item.
func endsSentence(it item) bool {
	return it.kind == itemBlock || it.kind == itemMark && strings.ContainsAny(it.text, sentenceEnds) ||
		(it.kind == itemWord || it.kind == itemBlank) && strings.ContainsAny(it.trail, sentenceEnds)
}
