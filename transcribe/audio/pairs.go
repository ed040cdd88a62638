package audio

import "math"

// pairSums gathers what tells how alike two channels are, constant offsets aside.
type pairSums struct {
	n, a, b, aa, bb, ab, diff float64
}

func (s *pairSums) add(a, b []float32) {
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		s.a += x
		s.b += y
		s.aa += x * x
		s.bb += y * y
		s.ab += x * y
		s.diff += (x - y) * (x - y)
	}
	s.n += float64(len(a))
}

// copies says whether the two differ by less than 40 dB below the first.
func (s *pairSums) copies() bool {
	n := math.Max(1, s.n)
	power := s.aa - s.a*s.a/n
	off := s.a - s.b
	return power > 0 && s.diff-off*off/n <= copyPower*power
}

// correlation is 1 for the same signal, −1 for the opposite, and 0 when one is silent.
func (s *pairSums) correlation() float64 {
	n := math.Max(1, s.n)
	a, b := s.aa-s.a*s.a/n, s.bb-s.b*s.b/n
	if a <= 0 || b <= 0 {
		return 0
	}
	return (s.ab - s.a*s.b/n) / math.Sqrt(a*b)
}
