package lexicon

// Distance is how far apart two texts sound, 0…1, as in Near. It is symmetric.
func Distance(a, b string) float64 {
	x, y := Sounds(a), Sounds(b)
	size := max(sizeOf(x), sizeOf(y))
	if size == 0 {
		return 0
	}
	return min(float64(newProfile(x).cost(coded(y), leastOf(y), 2*size))/float64(size), 1)
}

func sizeOf(sounds []Phone) int32 {
	var n int32
	for _, p := range sounds {
		n += costs.drop[codeOf[p]]
	}
	return n
}

// least is what it takes at least to get rid of each sound: by leaving it out, or by hearing it as another that is left
// out. Two sounds differ in it by no more than their swap costs, so two rows differ in the sum by no more than their
// distance.
var least = func() [codes]int32 {
	out := costs.drop
	for range len(alphabet) {
		for p := range len(alphabet) {
			for q := range len(alphabet) {
				out[p] = min(out[p], costs.swap[p][q]+out[q])
			}
		}
	}
	return out
}()

// leastOf is what it takes at least to get rid of all the sounds.
func leastOf(sounds []Phone) int32 {
	var n int32
	for _, p := range sounds {
		n += least[codeOf[p]]
	}
	return n
}

func coded(sounds []Phone) []uint8 {
	out := make([]uint8, len(sounds))
	for i, p := range sounds {
		out[i] = codeOf[p]
	}
	return out
}

// profile is one row of sounds prepared for being compared with many.
type profile struct {
	drop  []int32        // cost of leaving out each of its sounds
	swap  [codes][]int32 // cost of hearing each of its sounds as the one with the code
	first []int32        // cost of leaving out its beginning
	least []int32        // least cost of getting rid of its beginning
	row   []int32        // scratch
}

func newProfile(sounds []Phone) *profile {
	n := len(sounds)
	p := &profile{drop: make([]int32, n), first: make([]int32, n+1), least: make([]int32, n+1), row: make([]int32, n+1)}
	cells := make([]int32, len(alphabet)*n)
	for c := range len(alphabet) {
		p.swap[c] = cells[c*n : (c+1)*n : (c+1)*n]
		for j, s := range sounds {
			p.swap[c][j] = costs.swap[c][codeOf[s]]
		}
	}
	for j, s := range sounds {
		p.drop[j] = costs.drop[codeOf[s]]
		p.first[j+1] = p.first[j] + p.drop[j]
		p.least[j+1] = p.least[j] + least[codeOf[s]]
	}
	return p
}

// far is more than any cost.
const far = 1 << 28

// cost is the weighted edit distance to other, whose sounds cost at least total to be rid of. Once it is certain to exceed top, some
// greater number is returned.
//
// A way through the table that leaves a band around the diagonal has to make up for what it skipped, and costs more than
// top; so only the band is filled in.
func (p *profile) cost(other []uint8, total, top int32) int32 {
	n := len(p.drop)
	surplus := total - p.least[n]
	if surplus > top || -surplus > top {
		return far
	}
	ahead, behind := (surplus+top)/2+1, (surplus-top)/2-1
	lo, hi, spent := 0, 0, int32(0)
	for hi < n && p.least[hi+1] <= -behind {
		hi++
	}
	row := p.row[:n+1]
	copy(row, p.first[:hi+1])
	for _, c := range other {
		c &= codes - 1
		spent += least[c]
		for hi < n && p.least[hi+1] <= spent-behind {
			hi++
			row[hi] = far
		}
		for lo < n && p.least[lo] < spent-ahead {
			lo++
		}
		drop, from := costs.drop[c], lo
		var diagonal, left, lowest int32
		if lo == 0 {
			diagonal, left, from = row[0], row[0]+drop, 1
			row[0], lowest = left, left
		} else {
			diagonal, left, lowest = row[lo-1], far, far
			row[lo-1] = far
		}
		if hi >= from {
			band := row[from : hi+1]
			swaps, drops := p.swap[c][from-1:hi], p.drop[from-1:hi]
			swaps, drops = swaps[:len(band)], drops[:len(band)]
			for j, up := range band {
				d := min(diagonal+swaps[j], up+drop, left+drops[j])
				diagonal, left, band[j] = up, d, d
				lowest = min(lowest, d)
			}
		}
		if lowest > top {
			return lowest
		}
	}
	if hi < n {
		return far
	}
	return row[n]
}
