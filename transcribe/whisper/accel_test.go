package whisper

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// half encodes a value that is exact in half precision.
func half(v float32) uint16 {
	b := math.Float32bits(v)
	if v == 0 {
		return 0
	}
	return uint16(b>>16&0x8000 | (b>>23&0xff-112)<<10 | b>>13&0x3ff)
}

// matrix is random weights in the form that the kernels read, and as they are meant.
type matrix struct {
	bytes []byte
	plain []float64
}

func randomQ8(r *rand.Rand, rows, k int) (m matrix) {
	for range rows * k / 32 {
		scale := float32(1+r.IntN(64)) / 1024
		m.bytes = binary.LittleEndian.AppendUint16(m.bytes, half(scale))
		for range 32 {
			q := r.IntN(256) - 128
			m.bytes = append(m.bytes, byte(q))
			m.plain = append(m.plain, float64(q)*float64(scale))
		}
	}
	return m
}

func randomHalf(r *rand.Rand, n int) (m matrix, halves []uint16) {
	for range n {
		v := float32(r.IntN(129)-64) / 64
		halves = append(halves, half(v))
		m.bytes = binary.LittleEndian.AppendUint16(m.bytes, half(v))
		m.plain = append(m.plain, float64(v))
	}
	return m, halves
}

func randomFloats(r *rand.Rand, n int, scale float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64() * scale)
	}
	return out
}

// expect returns the exact product and how far off a kernel may be: half a step of the activations' rounding to bytes, when
// it does that, and the rounding of f32 sums.
func expect(m matrix, x []float32, rows, k, n int, rounds bool) (want, bound []float64) {
	for c := range n {
		steps := make([]float64, k)
		for b := 0; rounds && b < k; b += 32 {
			top := 0.0
			for _, v := range x[c*k+b : c*k+b+32] {
				top = max(top, math.Abs(float64(v)))
			}
			for i := range 32 {
				steps[b+i] = top / 127 / 2
			}
		}
		for r := range rows {
			var sum, off float64
			for i, w := range m.plain[r*k : (r+1)*k] {
				v := float64(x[c*k+i])
				sum += w * v
				off += math.Abs(w)*steps[i]*1.001 + math.Abs(w*v)*1e-5
			}
			want, bound = append(want, sum), append(bound, off+1e-30)
		}
	}
	return want, bound
}

func near(got []float32, want, bound []float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d values, want %d", len(got), len(want))
	}
	for i, g := range got {
		if d := math.Abs(float64(g) - want[i]); !(d <= bound[i]) {
			return fmt.Errorf("value %d is %g, want %g ± %g", i, g, want[i], bound[i])
		}
	}
	return nil
}

// able is false on processors that the kernels are not for: there they must do nothing at all.
func able(t *testing.T) bool {
	if accelerated() {
		return true
	}
	if product(make([]byte, 34), false, false, 1, 32, 1, 1, make([]float32, 32), nil, nil, false) != nil {
		t.Error("a kernel ran on a processor that it is not for")
	}
	return false
}

func TestProductsOfAnyShapeAgreeWithPlainArithmetic(t *testing.T) {
	if !able(t) {
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		rows, n := rapid.IntRange(1, 140).Draw(t, "rows"), rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17, 33, 70}).Draw(t, "columns")
		isHalf := rapid.Bool().Draw(t, "half")
		packed := !isHalf && rapid.Bool().Draw(t, "packed")
		k := 32 * rapid.IntRange(1, 20).Draw(t, "blocks")
		if isHalf {
			k = rapid.IntRange(1, 300).Draw(t, "k")
		}
		scale := rapid.SampledFrom([]float64{0, 1e-6, 1, 1e4, 1e25}).Draw(t, "scale")
		x := randomFloats(r, n*k, scale)
		m := randomQ8(r, rows, k)
		if isHalf {
			m, _ = randomHalf(r, rows*k)
		}
		want, bound := expect(m, x, rows, k, n, !isHalf)
		got := product(m.bytes, isHalf, packed, rows, k, n, 1, x, nil, nil, false)
		if err := near(got, want, bound); err != nil {
			t.Fatal(err)
		}
		bias, residual := randomFloats(r, rows, 1), randomFloats(r, rows*n, 1)
		for i := range want {
			v := want[i] + float64(bias[i%rows])
			want[i] = v/(1+math.Exp(-2*math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v))) + float64(residual[i])
			bound[i] = 1.2*bound[i] + 1e-5*(1+math.Abs(v))
		}
		got = product(m.bytes, isHalf, packed, rows, k, n, 1, x, bias, residual, true)
		if err := near(got, want, bound); err != nil {
			t.Fatalf("finished: %v", err)
		}
	})
}

func TestProductsOfTheModelsShapesAgreeWithPlainArithmetic(t *testing.T) {
	if !able(t) {
		return
	}
	r := rand.New(rand.NewPCG(7, 7))
	for _, s := range []struct{ rows, k, n int }{{51865, 512, 1}, {51865, 64, 5}, {64, 512, 1500}, {33, 2048, 17}, {512, 2048, 3}} {
		m, x := randomQ8(r, s.rows, s.k), randomFloats(r, s.n*s.k, 1)
		want, bound := expect(m, x, s.rows, s.k, s.n, true)
		if err := near(product(m.bytes, false, s.n != 1500, s.rows, s.k, s.n, 1, x, nil, nil, false), want, bound); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestThreadsAndNeighboursNeverShowInAProduct(t *testing.T) {
	if !able(t) {
		return
	}
	r := rand.New(rand.NewPCG(1, 2))
	const rows, k = 301, 512
	q8, x := randomQ8(r, rows, k), randomFloats(r, 40*k, 1)
	f16, _ := randomHalf(r, rows*k)
	for _, c := range []struct {
		half, packed bool
		sizes        []int
	}{{false, true, []int{1, 2, 3, 4, 5, 6, 17, 40}}, {false, false, []int{1, 4, 5, 6, 17, 40}}, {true, false, []int{1, 3, 5, 8}}, {true, false, []int{9, 12, 40}}} {
		m := q8
		if c.half {
			m = f16
		}
		whole := product(m.bytes, c.half, c.packed, rows, k, c.sizes[len(c.sizes)-1], 1, x, nil, nil, false)
		for _, n := range c.sizes {
			for _, threads := range []int{1, 2, 3} {
				got := product(m.bytes, c.half, c.packed, rows, k, n, threads, x[:n*k], nil, nil, false)
				if !slices.Equal(got, whole[:n*rows]) {
					t.Errorf("half %v, %d columns, %d threads: other bytes than with %d columns", c.half, n, threads, len(whole)/rows)
				}
			}
		}
	}
}

func TestAttentionAgreesWithPlainArithmetic(t *testing.T) {
	if !able(t) {
		return
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range []struct{ n, keys int }{{1, 1}, {13, 77}, {40, 1500}, {7, 1536}} {
		q := randomFloats(r, s.n*64, 1)
		k, keys := randomHalf(r, s.keys*64)
		v, values := randomHalf(r, s.keys*64)
		got := attention(q, keys, values, 0.125, 1)
		if !slices.Equal(got, attention(q, keys, values, 0.125, 3)) {
			t.Errorf("%v: the number of threads shows", s)
		}
		for i := range s.n {
			weights, sum := make([]float64, s.keys), 0.0
			for j := range weights {
				for d := range 64 {
					weights[j] += 0.125 * float64(q[i*64+d]) * k.plain[j*64+d]
				}
				weights[j] = math.Exp(weights[j])
				sum += weights[j]
			}
			for d := range 64 {
				want := 0.0
				for j, w := range weights {
					want += w / sum * v.plain[j*64+d]
				}
				if diff := math.Abs(float64(got[i*64+d]) - want); !(diff < 0.01) { // BF16 has 8 bits; values are up to 1
					t.Fatalf("%v: query %d, value %d is %g, want %g", s, i, d, got[i*64+d], want)
				}
			}
		}
	}
}

func TestKernelsKeepNoMemory(t *testing.T) {
	if !able(t) {
		return
	}
	r := rand.New(rand.NewPCG(5, 6))
	m, x := randomQ8(r, 512, 512), randomFloats(r, 300*512, 1)
	once := func(times int) int {
		for range times {
			product(m.bytes, false, false, 512, 512, 300, 2, x, nil, nil, false)
		}
		return residentPages(t)
	}
	before := once(20)
	if after := once(200); after > before+1024 {
		t.Errorf("200 products grew the process from %d to %d pages", before, after)
	}
}

func residentPages(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0 // not Linux
	}
	n, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
