package lexicon

import (
	"cmp"
	"slices"
)

// Match is a term that sounds like what was heard.
type Match struct {
	Term     Term
	Distance float64 // 0: the same sounds … 1: nothing in common
	Says     string  // the spoken form that matched
}

// entry is one spoken form of a term, ready to be compared.
type entry struct {
	bag    bag
	sounds []uint8
	size   int32   // cost of leaving everything out
	least  int32   // least cost of getting rid of everything
	scale  float32 // steps for each unit of cost
	term   int32
	says   string
}

func newEntry(term int32, says string, sounds []Phone) entry {
	size := sizeOf(sounds)
	return entry{sounds: coded(sounds), size: size, scale: steps / float32(size), least: leastOf(sounds), bag: bagOf(sounds), term: term, says: says}
}

// rarity is how much further away a term of weight 0 is ranked than one of weight 1 at the same distance.
const rarity = 0.04

// candidate is a match on its way through Near.
type candidate struct {
	la   *layer
	e    *entry
	dist float64
	rank float64
}

func compareCandidates(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.la.terms[a.e.term].Text, b.la.terms[b.e.term].Text), cmp.Compare(a.e.says, b.e.says))
}

// Near lists at most n terms whose sound is at most maxDistance away from what was heard: one to four words as an engine
// wrote them. The best come first: by distance, with a small advantage for common terms; the order is always the same.
// Distance is the cost of the cheapest way from one row of sounds to the other, divided by the cost of leaving out the
// longer one; word boundaries do not count.
func (l *Lexicon) Near(heard string, maxDistance float64, n int) []Match {
	sounds := Sounds(heard)
	if n <= 0 || len(sounds) == 0 || len(sounds) > maxSounds {
		return nil
	}
	s := &search{lexicon: l, profile: newProfile(sounds), size: sizeOf(sounds), bag: bagOf(sounds), least: leastOf(sounds), limit: min(maxDistance, 1), n: n}
	for i, la := range l.layers {
		s.layer(i, la)
	}
	out := make([]Match, len(s.best))
	for i, c := range s.best {
		out[i] = Match{Term: c.la.terms[c.e.term], Distance: c.dist, Says: c.e.says}
	}
	return out
}

// maxSounds bounds a question; four long words have fewer sounds.
const maxSounds = 120

// search is one call of Near.
type search struct {
	lexicon *Lexicon
	profile *profile
	size    int32
	bag     bag
	least   int32
	limit   float64
	n       int
	best    []candidate
}

// steps is into how many classes the bounds are sorted; rounding keeps a bound from being sorted too high.
const (
	steps    = 16
	rounding = 0.001
)

// layer looks through one layer. The terms with the lowest bounds come first: they fill the list early, and what cannot
// enter a full list any more is left out.
func (s *search) layer(at int, la *layer) {
	var heads [steps + 1]int32 // lists of entries
	next := make([]int32, len(la.entries))
	scale, most := steps/float32(s.size), int(s.limit*steps)
	for i := len(la.entries) - 1; i >= 0; i-- { // backwards, so that each list goes forwards through memory
		e := &la.entries[i]
		bound := max(s.bag.apart(&e.bag), e.least-s.least, s.least-e.least)
		step := int(float32(bound)*min(scale, e.scale) - rounding)
		if step <= most {
			next[i], heads[step] = heads[step], int32(i)+1
		}
	}
	for step := 0; step <= int(s.limit*steps); step++ {
		for i := heads[step]; i != 0; i = next[i-1] {
			s.compare(at, la, &la.entries[i-1])
		}
	}
}

// compare measures one term and keeps it if it is among the best.
func (s *search) compare(at int, la *layer, e *entry) {
	size := float64(max(e.size, s.size))
	top := int32(s.limit*size) + 1
	cost := s.profile.cost(e.sounds, e.least, top)
	dist := min(float64(cost)/size, 1)
	if cost > top || dist > s.limit || s.lexicon.covered(at, keyOf(la.terms[e.term].Text)) {
		return
	}
	s.best = insert(s.best, candidate{la, e, dist, dist + rarity*(1-la.terms[e.term].Weight)}, s.n)
	if len(s.best) == s.n {
		s.limit = min(s.limit, s.best[s.n-1].rank)
	}
}

// insert keeps the n best candidates in order, one for each term.
func insert(best []candidate, c candidate, n int) []candidate {
	for i, b := range best {
		if b.la == c.la && b.e.term == c.e.term {
			if compareCandidates(b, c) <= 0 {
				return best
			}
			best = slices.Delete(best, i, i+1)
			break
		}
	}
	at, _ := slices.BinarySearchFunc(best, c, compareCandidates)
	best = slices.Insert(best, at, c)
	return best[:min(len(best), n)]
}
