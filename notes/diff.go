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
	dropChance(a, b, out)
	return out
}

// common are words that stand in every sentence. One of them alone between two rewritten stretches is there by chance.
var common = wordSet("a an the and or of to in on at by for with from is was are were be has had have not no as it he she her his this that will")

// rewritten is how many words on each side, taken out or put in, make a stretch rewritten and not corrected.
const rewritten = 2

// dropChance takes back matches that mean nothing: a common word, or a mark, that the old and the new text share where
// everything around it was rewritten. It would lend the recording's source to a sentence that nobody spoke.
func dropChance(a, b []piece, out []int) {
	for j := 0; j < len(b); j++ {
		if out[j] < 0 {
			continue
		}
		end := j
		for end+1 < len(b) && out[end+1] == out[end]+1 {
			end++
		}
		if chance(b[j:end+1]) && changedBeside(a, b, out, j, end) {
			for k := j; k <= end; k++ {
				out[k] = -1
			}
		}
		j = end
	}
}

// chance says that a stretch holds at most one word, a common one. A blank is never there by chance.
func chance(stretch []piece) bool {
	words := 0
	for _, p := range stretch {
		if p.text[0] == '[' || !common[keyOf(p.text)] && hasWord(p.text) {
			return false
		}
		if hasWord(p.text) {
			words++
		}
	}
	return words <= 1
}

// changedBeside says that both sides of a stretch of matches were rewritten.
func changedBeside(a, b []piece, out []int, from, to int) bool {
	before, after := -1, len(a) // the nearest matches on both sides, in a
	left, right := 0, 0         // words of b between them
	for k := from - 1; k >= 0; k-- {
		if out[k] >= 0 {
			before = out[k]
			break
		}
		left += wordsIn(b[k : k+1])
	}
	for k := to + 1; k < len(b); k++ {
		if out[k] >= 0 {
			after = out[k]
			break
		}
		right += wordsIn(b[k : k+1])
	}
	left, right = max(left, wordsIn(a[before+1:out[from]])), max(right, wordsIn(a[out[to]+1:after]))
	return left >= rewritten && right >= rewritten
}

func wordsIn(stretch []piece) int {
	n := 0
	for _, p := range stretch {
		if hasWord(p.text) {
			n++
		}
	}
	return n
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
