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
	sounds []Phone
	size   int32 // cost of leaving everything out
	bag    bag
	term   int32
	says   string
}

func newEntry(term int32, says string, sounds []Phone) entry {
	return entry{sounds: sounds, size: sizeOf(sounds), bag: bagOf(sounds), term: term, says: says}
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

// Near lists at most n terms whose sound is at most max away from what was heard: one to four words as an engine wrote
// them. The best come first: by distance, with a small advantage for common terms; the order is always the same.
// Distance is the cost of the cheapest way from one row of sounds to the other, divided by the cost of leaving out the
// longer one; word boundaries do not count.
func (l *Lexicon) Near(heard string, maxDistance float64, n int) []Match {
	query := newEntry(0, heard, Sounds(heard))
	if n <= 0 || len(query.sounds) == 0 {
		return nil
	}
	var best []candidate
	row := make([]int32, 0, 64)
	for i, la := range l.layers {
		for k := range la.entries {
			e := &la.entries[k]
			limit := maxDistance
			if len(best) == n {
				limit = min(limit, best[n-1].rank)
			}
			top := int32(limit*float64(max(e.size, query.size))) + 1
			if query.bag.apart(&e.bag) > top {
				continue
			}
			d := cost(query.sounds, e.sounds, top, &row)
			dist := min(float64(d)/float64(max(e.size, query.size)), 1)
			if d > top || dist > limit || l.covered(i, keyOf(la.terms[e.term].Text)) {
				continue
			}
			best = insert(best, candidate{la, e, dist, dist + rarity*(1-la.terms[e.term].Weight)}, n)
		}
	}
	out := make([]Match, len(best))
	for i, c := range best {
		out[i] = Match{Term: c.la.terms[c.e.term], Distance: c.dist, Says: c.e.says}
	}
	return out
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

// Distance is how far apart two texts sound, 0…1, as in Near. It is symmetric.
func Distance(a, b string) float64 {
	x, y := Sounds(a), Sounds(b)
	size := max(sizeOf(x), sizeOf(y))
	if size == 0 {
		return 0
	}
	row := []int32{}
	return min(float64(cost(x, y, size*2, &row))/float64(size), 1)
}

func sizeOf(sounds []Phone) int32 {
	var n int32
	for _, p := range sounds {
		n += int32(costs.drop[p])
	}
	return n
}

// cost is the weighted edit distance of two rows of sounds. Once it is certain to exceed top, some greater number is
// returned.
func cost(a, b []Phone, top int32, buffer *[]int32) int32 {
	row := append((*buffer)[:0], 0)
	for j, q := range b {
		row = append(row, row[j]+int32(costs.drop[q]))
	}
	for _, p := range a {
		diagonal, swap, drop := row[0], &costs.swap[p], int32(costs.drop[p])
		row[0] += drop
		least := row[0]
		for j, q := range b {
			d := min(diagonal+int32(swap[q&127]), row[j+1]+drop, row[j]+int32(costs.drop[q&127]))
			diagonal, row[j+1] = row[j+1], d
			least = min(least, d)
		}
		if least > top {
			*buffer = row
			return least
		}
	}
	*buffer = row
	return row[len(b)]
}
