package lexicon

// bag sums, for eight families of sounds, what it takes at least to get rid of each: a lower bound of the edit distance
// that costs no table. Most terms are set aside by it.
type bag [8]int16

// families are sounds that are cheaply heard for each other; no sound stands in two.
var families = [8]string{"iIeEaAou@YWO", "pbfv", "tdTD", "kg", "szSZCJ", "mnN", "lr", "hwy"}

// worth[p] is the family of a sound and what leaving that family costs at least: the cheapest chain of swaps, or leaving
// the sound out.
//
// Two sounds of one family differ in worth by no more than their swap costs, and a swap between families costs no less than
// the worth of either; so neither the sum of what is missing nor the sum of what is too much can exceed the distance.
var worth = makeWorth(costs)

type worthTable struct {
	family [128]int8
	cost   [128]int16
}

func makeWorth(t *table) *worthTable {
	w := &worthTable{}
	for f, family := range families {
		for i := range len(family) {
			p := family[i]
			w.family[p], w.cost[p] = int8(f), t.drop[p]
			for _, others := range families {
				for k := range len(others) {
					if q := others[k]; !sameFamily(family, q) {
						w.cost[p] = min(w.cost[p], t.swap[p][q])
					}
				}
			}
		}
		for range len(family) { // chains of swaps inside the family
			for i := range len(family) {
				for k := range len(family) {
					w.cost[family[i]] = min(w.cost[family[i]], t.swap[family[i]][family[k]]+w.cost[family[k]])
				}
			}
		}
	}
	return w
}

func sameFamily(family string, p byte) bool {
	for i := range len(family) {
		if family[i] == p {
			return true
		}
	}
	return false
}

func bagOf(sounds []Phone) bag {
	var b bag
	for _, p := range sounds {
		b[worth.family[p]] += worth.cost[p]
	}
	return b
}

// apart is a lower bound of the cost between two rows of sounds.
func (b *bag) apart(other *bag) int32 {
	var more, less int32
	for i := range b {
		d := int32(b[i]) - int32(other[i])
		more += max(d, 0)
		less += max(-d, 0)
	}
	return max(more, less)
}
