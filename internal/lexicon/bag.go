package lexicon

// bag sums, for eight families of sounds, what it takes at least to get rid of each: a lower bound of the edit distance
// that costs no table. Most terms are set aside by it.
type bag [8]int16

// families are sounds that are cheaply heard for each other; no sound stands in two.
var families = [8]string{"iIeEaAou@YWOwy", "pbfv", "tdTD", "kg", "szSZCJ", "mnN", "lr", "h"}

// worth[p] is the family of a sound and what leaving that family costs at least: the cheapest chain of swaps, or leaving
// the sound out.
//
// Two sounds of one family differ in worth by no more than their swap costs, and a swap between families costs no less than
// the worth of either; so neither the sum of what is missing nor the sum of what is too much can exceed the distance.
var worth = makeWorth(costs)

type worthTable struct {
	family [codes]uint8
	cost   [codes]int16
}

func makeWorth(t *table) *worthTable {
	w := &worthTable{}
	for f, family := range families {
		for i := range len(family) {
			p := codeOf[family[i]]
			w.family[p], w.cost[p] = uint8(f), int16(t.drop[p])
			for k := range len(alphabet) {
				if !sameFamily(family, alphabet[k]) {
					w.cost[p] = min(w.cost[p], int16(t.swap[p][k]))
				}
			}
		}
		for range len(family) { // chains of swaps inside the family
			for i := range len(family) {
				for k := range len(family) {
					a, b := codeOf[family[i]], codeOf[family[k]]
					w.cost[a] = min(w.cost[a], int16(t.swap[a][b])+w.cost[b])
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
		b[worth.family[codeOf[p]]&7] += worth.cost[codeOf[p]]
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
