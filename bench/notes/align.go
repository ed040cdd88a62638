package main

import "strings"

// pairs is an alignment of the expected note with a draft: for each token the place of its partner, -1 for none.
type pairs struct {
	want, got     []token
	ofWant, ofGot []int
}

// align pairs equal tokens in order, then, among what is left, stretches that stand elsewhere.
func align(want, got []token) pairs {
	p := pairs{want: want, got: got, ofWant: unpaired(len(want)), ofGot: unpaired(len(got))}
	p.longest(indexes(len(want)), indexes(len(got)))
	for range 4 {
		if !p.moved() {
			break
		}
	}
	return p
}

func unpaired(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// longest pairs the longest common subsequence of some tokens of both sides. A word weighs more than a mark, and a pair in
// the same section a little more than in another.
func (p *pairs) longest(w, g []int) {
	table := make([][]int, len(w)+1)
	for i := range table {
		table[i] = make([]int, len(g)+1)
	}
	for i := len(w) - 1; i >= 0; i-- {
		for j := len(g) - 1; j >= 0; j-- {
			table[i][j] = max(table[i+1][j], table[i][j+1])
			if n := p.weight(w[i], g[j]); n > 0 {
				table[i][j] = max(table[i][j], table[i+1][j+1]+n)
			}
		}
	}
	for i, j := 0, 0; i < len(w) && j < len(g); {
		n := p.weight(w[i], g[j])
		switch {
		case n > 0 && table[i][j] == table[i+1][j+1]+n:
			p.ofWant[w[i]], p.ofGot[g[j]] = g[j], w[i]
			i, j = i+1, j+1
		case table[i+1][j] >= table[i][j+1]:
			i++
		default:
			j++
		}
	}
}

func (p *pairs) weight(i, j int) int {
	a, b := p.want[i], p.got[j]
	if a.text != b.text || a.mark != b.mark {
		return 0
	}
	n := 20
	if a.mark {
		n = 2
	}
	if a.section == b.section {
		n++
	}
	return n
}

// moved pairs one stretch of at least three words in a row, still without partners, that stands at another place.
func (p *pairs) moved() bool {
	const least = 3
	best, from, to := 0, 0, 0
	for i := range p.want {
		for j := range p.got {
			n, words := 0, 0
			for i+n < len(p.want) && j+n < len(p.got) && p.ofWant[i+n] < 0 && p.ofGot[j+n] < 0 && p.weight(i+n, j+n) > 0 {
				if !p.want[i+n].mark {
					words++
				}
				n++
			}
			if words >= least && n > best {
				best, from, to = n, i, j
			}
		}
	}
	for n := range best {
		p.ofWant[from+n], p.ofGot[to+n] = to+n, from+n
	}
	return best > 0
}

// wrong says that a draft's token, or what should stand right before or after it, is not as expected.
func (p *pairs) wrong(j int) bool {
	if p.got[j].mark {
		return false
	}
	at := p.ofGot[j]
	return at < 0 || p.missing(at-1, -1) || p.missing(at+1, 1)
}

// missing says that the next expected word in a direction, within the section, has no partner.
func (p *pairs) missing(i, step int) bool {
	for ; i >= 0 && i < len(p.want); i += step {
		if !p.want[i].mark {
			return p.ofWant[i] < 0
		}
	}
	return false
}

// around is the stretch of the recording in which the draft has what it has for expected tokens from up to to; ok is false
// where nothing tells it.
func (p *pairs) around(from, to int) (start, end float64, ok bool) {
	before, after := -1, len(p.got)
	for i := from - 1; i >= 0 && before < 0; i-- {
		before = p.ofWant[i]
	}
	for i := to; i < len(p.want); i++ {
		if p.ofWant[i] > before {
			after = p.ofWant[i]
			break
		}
	}
	add := func(t token) {
		if t.speech && (!ok || t.start < start) {
			start = t.start
		}
		if t.speech {
			end, ok = max(end, t.end), true
		}
	}
	if after-before-1 <= 2*(to-from)+12 {
		for j := before + 1; j < after; j++ {
			add(p.got[j])
		}
	}
	for i := from; i < to; i++ {
		if j := p.ofWant[i]; j >= 0 {
			add(p.got[j])
		}
	}
	if !ok && before >= 0 && after < len(p.got) && p.got[before].speech && p.got[after].speech {
		return p.got[before].end, p.got[after].start, true
	}
	return start, end, ok
}

// instead is what the draft has where an expected text should stand, for telling a miss; "" where nothing tells it.
func (p *pairs) instead(text string) string {
	from, to := find(p.want, text)
	if to == 0 {
		return ""
	}
	before, after := -1, len(p.got)
	for i := from - 1; i >= 0 && before < 0; i-- {
		before = p.ofWant[i]
	}
	for i := to; i < len(p.want); i++ {
		if p.ofWant[i] > before {
			after = p.ofWant[i]
			break
		}
	}
	if after-before > 2*(to-from)+8 {
		return ""
	}
	var out []string
	for j := before + 1; j < after; j++ {
		out = append(out, p.got[j].text)
	}
	return ", there stands “" + strings.Join(out, " ") + "”"
}
