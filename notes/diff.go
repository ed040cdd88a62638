package notes

import "sort"

// align returns, for every piece of b, the piece of a that it stays from, or -1. Matches keep their order. Words weigh
// more than marks, so that a comma never pulls words apart.
func align(a, b []piece) []int {
	out := make([]int, len(b))
	for i := range out {
		out[i] = -1
	}
	alignInto(a, b, 0, 0, out)
	return out
}

// largestTable bounds the memory of the exact comparison; larger texts are first cut at words that occur once on each side.
const largestTable = 4_000_000

func alignInto(a, b []piece, offA, offB int, out []int) {
	for len(a) > 0 && len(b) > 0 && a[0].text == b[0].text {
		out[offB] = offA
		a, b, offA, offB = a[1:], b[1:], offA+1, offB+1
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].text == b[len(b)-1].text {
		out[offB+len(b)-1] = offA + len(a) - 1
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 || len(b) == 0 {
		return
	}
	if (len(a)+1)*(len(b)+1) <= largestTable {
		exact(a, b, offA, offB, out)
		return
	}
	anchors := uniqueAnchors(a, b)
	fromA, fromB := 0, 0
	for _, p := range anchors {
		alignBounded(a[fromA:p[0]], b[fromB:p[1]], offA+fromA, offB+fromB, out)
		out[offB+p[1]] = offA + p[0]
		fromA, fromB = p[0]+1, p[1]+1
	}
	alignBounded(a[fromA:], b[fromB:], offA+fromA, offB+fromB, out)
}

// alignBounded goes on between anchors; a stretch that is still too large and has no anchor counts as rewritten.
func alignBounded(a, b []piece, offA, offB int, out []int) {
	if (len(a)+1)*(len(b)+1) <= largestTable {
		alignInto(a, b, offA, offB, out)
	}
}

// exact is the heaviest common subsequence by dynamic programming.
func exact(a, b []piece, offA, offB int, out []int) {
	cols := len(b) + 1
	table := make([]int32, (len(a)+1)*cols)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			best := max(table[(i+1)*cols+j], table[i*cols+j+1])
			if a[i].text == b[j].text {
				best = max(best, table[(i+1)*cols+j+1]+weight(a[i].text))
			}
			table[i*cols+j] = best
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].text == b[j].text && table[i*cols+j] == table[(i+1)*cols+j+1]+weight(a[i].text):
			out[offB+j] = offA + i
			i, j = i+1, j+1
		case table[(i+1)*cols+j] >= table[i*cols+j+1]:
			i++
		default:
			j++
		}
	}
}

func weight(text string) int32 {
	if len(text) == 1 {
		return 2
	}
	return int32(3 + min(len(text), 8))
}

// uniqueAnchors are the words that occur once in a and once in b, as the longest chain that keeps their order.
func uniqueAnchors(a, b []piece) [][2]int {
	count, where := map[string]int{}, map[string]int{}
	for i, p := range a {
		count[p.text]++
		where[p.text] = i
	}
	countB := map[string]int{}
	for _, p := range b {
		countB[p.text]++
	}
	var pairs [][2]int
	for j, p := range b {
		if count[p.text] == 1 && countB[p.text] == 1 {
			pairs = append(pairs, [2]int{where[p.text], j})
		}
	}
	return longestRising(pairs)
}

// longestRising is the longest subsequence of pairs, already rising in b, that also rises in a.
func longestRising(pairs [][2]int) [][2]int {
	var tails []int // tails[k] is the pair that ends a chain of k+1 with the smallest place in a
	back := make([]int, len(pairs))
	for i, p := range pairs {
		k := sort.Search(len(tails), func(k int) bool { return pairs[tails[k]][0] >= p[0] })
		back[i] = -1
		if k > 0 {
			back[i] = tails[k-1]
		}
		if k == len(tails) {
			tails = append(tails, i)
		} else {
			tails[k] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([][2]int, len(tails))
	for i, k := tails[len(tails)-1], len(tails)-1; k >= 0; i, k = back[i], k-1 {
		out[k] = pairs[i]
	}
	return out
}
