package audio

import "math"

const (
	zeroCrossings = 24   // of the kernel on each side: transition band of about 6 % of the lower rate
	maxPhases     = 1024 // above this many exact phases the kernel is interpolated; error below −100 dB
	kaiserBeta    = 9.0  // about 90 dB of stop-band attenuation
	passband      = 0.94 // of the lower Nyquist frequency
)

// resampler converts one channel from one rate to another with a Kaiser-windowed sinc, streaming: the output does not
// depend on how the input is cut into calls.
type resampler struct {
	from, to int64 // reduced by their greatest common divisor
	phases   int64
	taps     int
	kernel   [][]float32 // phases+1 rows
	hist     []float32   // input samples from index histAt on
	histAt   int64
	in       int64 // input samples seen
	out      int64 // output samples made
}

func newResampler(from, to int) *resampler {
	g := gcd(int64(from), int64(to))
	r := &resampler{from: int64(from) / g, to: int64(to) / g}
	if r.from == r.to {
		return r
	}
	scale := math.Min(1, float64(to)/float64(from)) * passband // cut-off in units of the input Nyquist
	half := int(math.Ceil(zeroCrossings / scale))
	r.taps, r.phases = 2*half, min(r.to, maxPhases)
	r.kernel = make([][]float32, r.phases+1)
	for p := range r.kernel {
		r.kernel[p] = kernelRow(float64(p)/float64(r.phases), half, scale)
	}
	r.hist, r.histAt = make([]float32, half), -int64(half)
	return r
}

// kernelRow samples the kernel for an output point that lies frac of a sample after the centre tap. Each row sums to one,
// so a constant signal stays constant whatever its phase.
func kernelRow(frac float64, half int, scale float64) []float32 {
	row, sum := make([]float64, 2*half), 0.0
	for i := range row {
		x := float64(i-half+1) - frac
		w := x / float64(half)
		if w <= -1 || w >= 1 {
			continue
		}
		row[i] = sinc(x*scale) * bessel0(kaiserBeta*math.Sqrt(1-w*w))
		sum += row[i]
	}
	out := make([]float32, len(row))
	for i := range row {
		out[i] = float32(row[i] / sum)
	}
	return out
}

// push takes input and returns the output that is ready. The returned slice is valid until the next call.
func (r *resampler) push(samples []float32) []float32 {
	r.in += int64(len(samples))
	if r.kernel == nil {
		return samples
	}
	r.hist = append(r.hist, samples...)
	out := r.drain(r.histAt+int64(len(r.hist)), math.MaxInt64)
	r.forget()
	return out
}

// flush returns the tail, so that the output lasts as long as the input did.
func (r *resampler) flush() []float32 {
	if r.kernel == nil {
		return nil
	}
	r.hist = append(r.hist, make([]float32, r.taps)...)
	return r.drain(r.histAt+int64(len(r.hist)), (r.in*r.to+r.from-1)/r.from)
}

func (r *resampler) drain(end, limit int64) []float32 {
	var out []float32
	half := int64(r.taps / 2)
	for r.out < limit {
		centre := r.out * r.from / r.to
		if centre+half+1 > end {
			break
		}
		rest := r.out * r.from % r.to // the fraction after centre, in units of 1/to
		at := centre - half + 1 - r.histAt
		out = append(out, r.at(r.hist[at:at+int64(r.taps)], rest))
		r.out++
	}
	return out
}

func (r *resampler) at(x []float32, rest int64) float32 {
	if r.phases == r.to {
		return dot(x, r.kernel[rest])
	}
	pos := float64(rest) / float64(r.to) * float64(r.phases)
	p := int(pos)
	w := float32(pos - float64(p))
	return dot(x, r.kernel[p])*(1-w) + dot(x, r.kernel[p+1])*w
}

// forget drops input that no later output needs.
func (r *resampler) forget() {
	need := r.out*r.from/r.to - int64(r.taps/2) + 1
	if drop := need - r.histAt; drop > 1<<14 {
		r.hist = append(r.hist[:0], r.hist[drop:]...)
		r.histAt = need
	}
}

func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+3 < len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of order zero, by its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
