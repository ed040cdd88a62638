package checks

import (
	_ "embed" // for the lists
	"slices"
	"strings"
	"sync"
)

// mention is a paired part of the body with a side and what is said of it.
type mention struct {
	from, to int // words
	side     string
	organ    string
	group    string // what is said of it: "pain", "arthroplasty"; "" for nothing
	surgery  bool   // the group is something that is done
}

//go:embed data/sides.txt
var sidesText string

// sided is the data of sides.txt.
type sided struct {
	organs map[string]string // word → organ
	groups map[string]string // word → group
	done   map[string]bool   // groups that are done to the patient
	within map[string]string // operation → the organ that its name says
}

var sidedWords = sync.OnceValue(func() sided {
	s := sided{map[string]string{}, map[string]string{}, map[string]bool{}, map[string]string{}}
	for line := range strings.Lines(sidesText) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "#" || f[0] == "implies" && len(f) != 3 {
			continue
		}
		if f[0] == "implies" {
			s.within[f[1]] = f[2]
			continue
		}
		for _, w := range f[1:] {
			switch f[0] {
			case "organ":
				s.organs[w] = f[1]
			case "finding":
				s.groups[w] = f[1]
			case "procedure":
				s.groups[w], s.done[f[1]] = f[1], true
			}
		}
	}
	return s
})

var (
	bothSides = set("bilateral bilaterally both contralateral opposite other either respectively")
	between   = set("of in to at on over around near involving the her his a an upper lower medial lateral proximal distal total anterior " +
		"posterior partial main first second third fourth fifth mid middle inner outer")
)

// bygone are the sections of what is over.
var bygone = set("pmh psh family_history social_history")

// sides finds a side that stands against the rest of the note: the same trouble or procedure of the same part of the body,
// once left and once right, or a procedure on the side of which nothing else is said.
func sides(r *reader) []Finding {
	var all []mention
	for i, w := range r.words {
		if w.key != "left" && w.key != "right" && w.key != "left-sided" && w.key != "right-sided" {
			continue
		}
		m, ok := r.mentionAt(i)
		if n := len(all) - 1; ok && n >= 0 && all[n].organ == m.organ && all[n].side == m.side && r.in(all[n].from, i) {
			if all[n].group == "" { // said twice in one sentence
				all[n] = m
			}
			continue
		}
		if ok {
			all = append(all, m)
		}
	}
	var out []Finding
	for _, organ := range organsOf(all) {
		if f, ok := r.sideOf(slices.DeleteFunc(slices.Clone(all), func(m mention) bool { return m.organ != organ })); ok {
			out = append(out, f)
		}
	}
	return out
}

func organsOf(all []mention) []string {
	var out []string
	for _, m := range all {
		if !slices.Contains(out, m.organ) {
			out = append(out, m.organ)
		}
	}
	return out
}

// mentionAt reads "left knee pain", "left total knee arthroplasty", "pain in the left knee" at the word of the side.
func (r *reader) mentionAt(i int) (mention, bool) {
	data := sidedWords()
	m := mention{from: i, side: strings.TrimSuffix(r.words[i].key, "-sided")}
	for j := i + 1; j <= i+4 && r.in(i, j) && (j == i+1 || r.joined(j-1)); j++ {
		if o, ok := data.organs[r.key(j)]; ok {
			m.organ, m.to = o, j+1
			break
		}
		if o, ok := data.within[r.key(j)]; ok { // "right nephrectomy"
			m.organ, m.to, m.group, m.surgery = o, j+1, data.groups[r.key(j)], true
			break
		}
		if r.key(j) == "and" || r.key(j) == "or" {
			return m, false
		}
	}
	if m.organ == "" && r.key(i-1) == "the" && r.key(i-2) == "on" && r.joined(i-1) {
		r.whereBefore(&m, i-3)
	}
	if m.organ == "" || bygone[r.sectionOf(i)] || r.has(i, past) || r.has(i, bothSides) || r.opposite(i) {
		return m, false
	}
	for j, end := m.to, m.to+4; !m.surgery && j < end && r.joined(j-1); j++ {
		if deniesWords[r.key(j)] {
			break
		}
		if g, ok := data.groups[r.key(j)]; ok {
			m.group, m.surgery, m.to = g, data.done[g], j+1
			if m.surgery { // "hernia repair" is a repair
				break
			}
		}
	}
	for j := m.from - 1; m.group == "" && j >= m.from-5 && r.in(i, j) && r.joined(j); j-- {
		if g, ok := data.groups[r.key(j)]; ok {
			if r.denied(j) {
				return m, false
			}
			m.group, m.surgery = g, data.done[g]
		} else if !between[r.key(j)] {
			break
		}
	}
	return m, true
}

// whereBefore reads what stands before "on the left": "a nephrectomy scar on the left".
func (r *reader) whereBefore(m *mention, last int) {
	data := sidedWords()
	for j := last; j > last-4 && r.in(m.from, j) && r.joined(j); j-- {
		key := r.key(j)
		if o, ok := data.within[key]; ok {
			m.organ, m.group, m.surgery = o, data.groups[key], true
		} else if o, ok := data.organs[key]; ok {
			m.organ = o
		} else {
			continue
		}
		m.from, m.to = j, m.from+1
		return
	}
}

// opposite says that the other side stands in the same sentence.
func (r *reader) opposite(i int) bool {
	from, to := r.sentence(i)
	first := ""
	for _, w := range r.words[from:to] {
		side := strings.TrimSuffix(w.key, "-sided")
		if side != "left" && side != "right" {
			continue
		}
		if first != "" && first != side {
			return true
		}
		first = side
	}
	return false
}

// sideOf judges the mentions of one part of the body.
func (r *reader) sideOf(all []mention) (Finding, bool) {
	if r.bothOf(all[0].organ, groupsOf(all)) || r.oneByOne(all) {
		return Finding{}, false
	}
	for _, side := range []string{"left", "right"} {
		few, many := split(all, side)
		if len(few) != 1 || len(many) == 0 || len(many) < len(few) {
			continue
		}
		odd, other := few[0], many[0]
		if len(many) == 1 && other.from > odd.from { // one against one: the later is shown
			odd, other = other, odd
		}
		same := odd.group != "" && slices.ContainsFunc(many, func(m mention) bool { return m.group == odd.group }) || len(many) == 1 && odd.group != "" && odd.group == other.group
		alone := odd.surgery && other.group != "" || other.surgery && odd.group != "" || odd.surgery && len(many) > 1
		// What the note concludes about one side, where it only spoke of the other.
		concluded := planned(r.sectionOf(odd.from)) && odd.group != "" && len(many) > 1 && slices.ContainsFunc(many, func(m mention) bool { return m.group != "" })
		if !same && !alone && !concluded {
			continue
		}
		at, seen := r.place(odd.from, odd.to), r.place(other.from, other.to)
		return r.find(Side, true, odd.from, odd.to,
			"The note says “"+r.text(seen)+"” and “"+r.text(at)+"”. One of the sides may be wrong; listen to both.", seen), true
	}
	return Finding{}, false
}

// oneByOne says that the two sides are gone through one after the other, as in an examination.
func (r *reader) oneByOne(all []mention) bool {
	if len(all) != 2 || all[0].surgery || all[1].surgery {
		return false
	}
	a, b := r.words[all[0].from], r.words[all[1].from]
	return a.section == b.section && b.sentence-a.sentence <= 2
}

func groupsOf(all []mention) []string {
	var out []string
	for _, m := range all {
		if m.group != "" {
			out = append(out, m.group)
		}
	}
	return out
}

// bothOf says that the note speaks of both sides of a part of the body, or of both sides of what is found there.
func (r *reader) bothOf(organ string, groups []string) bool {
	data := sidedWords()
	for i, w := range r.words {
		if g := data.groups[w.key]; data.organs[w.key] != organ && (g == "" || !slices.Contains(groups, g)) {
			continue
		}
		from, to := r.sentence(i)
		for j := max(from, i-4); j < min(to, i+5); j++ {
			if bothSides[r.key(j)] {
				return true
			}
		}
	}
	return false
}

func split(all []mention, side string) (same, other []mention) {
	for _, m := range all {
		if m.side == side {
			same = append(same, m)
		} else {
			other = append(other, m)
		}
	}
	return same, other
}
