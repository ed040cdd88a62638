package transcribe

// difference is a stretch where two rows of words differ: a[i1:i2] against b[j1:j2].
type difference struct{ i1, i2, j1, j2 int }

// differences aligns two rows of words by the fewest changes and lists where they differ.
func differences(a, b []said) []difference {
	n, m := len(a), len(b)
	x, y := make([]string, n), make([]string, m)
	for i, w := range a {
		x[i] = normal(w.text)
	}
	for j, w := range b {
		y[j] = normal(w.text)
	}
	cost := make([][]int, n+1)
	for i := range cost {
		cost[i] = make([]int, m+1)
		for j := range cost[i] {
			switch {
			case i == 0:
				cost[i][j] = j
			case j == 0:
				cost[i][j] = i
			default:
				same := cost[i-1][j-1]
				if x[i-1] != y[j-1] {
					same++
				}
				cost[i][j] = min(same, cost[i-1][j]+1, cost[i][j-1]+1)
			}
		}
	}
	var out []difference
	for i, j := n, m; i > 0 || j > 0; {
		if i > 0 && j > 0 && x[i-1] == y[j-1] && cost[i][j] == cost[i-1][j-1] {
			i, j = i-1, j-1
			continue
		}
		bl := difference{i2: i, j2: j}
		for (i > 0 || j > 0) && !(i > 0 && j > 0 && x[i-1] == y[j-1] && cost[i][j] == cost[i-1][j-1]) {
			switch {
			case i > 0 && j > 0 && cost[i][j] == cost[i-1][j-1]+1:
				i, j = i-1, j-1
			case i > 0 && cost[i][j] == cost[i-1][j]+1:
				i--
			default:
				j--
			}
		}
		bl.i1, bl.j1 = i, j
		out = append(out, bl)
	}
	for i, k := 0, len(out)-1; i < k; i, k = i+1, k-1 {
		out[i], out[k] = out[k], out[i]
	}
	return out
}

// withNeighbour takes the word behind or before, which both rows have, into a difference where one row has a risk word and
// the other nothing: a "no" or a figure that only one of them heard can then be shown with both readings.
func (d difference) withNeighbour(a, b []said) difference {
	if d.i1 != d.i2 && d.j1 != d.j2 || risksOf(joinSaid(a[d.i1:d.i2])) == risksOf(joinSaid(b[d.j1:d.j2])) {
		return d
	}
	switch {
	case d.i2 < len(a) && d.j2 < len(b):
		d.i2, d.j2 = d.i2+1, d.j2+1
	case d.i1 > 0 && d.j1 > 0:
		d.i1, d.j1 = d.i1-1, d.j1-1
	}
	return d
}
