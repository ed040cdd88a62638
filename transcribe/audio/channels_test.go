package audio

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

const heard = 12 // seconds of the scenes below

// voice is bursts of a tone, 0.4 s long and 0.6 s apart, from one second to another, over noise; levels are amplitudes.
func voice(hz, amplitude, noise, from, to float64) []float32 {
	rng := rand.New(rand.NewPCG(uint64(hz), 7))
	x := make([]float32, heard*Rate)
	for i := range x {
		at := float64(i) / Rate
		v := noise * rng.NormFloat64()
		if at >= from && at < to && math.Mod(at, 1) < 0.4 {
			v += amplitude * math.Sin(2*math.Pi*hz*at)
		}
		x[i] = float32(v)
	}
	return x
}

func scaled(x []float32, by, plus float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = v*by + plus
	}
	return out
}

// scene decodes channels of floats at 16 kHz.
func scene(t *testing.T, channels ...[]float32) ([]float32, Report) {
	t.Helper()
	var data []byte
	for i := range channels[0] {
		for _, ch := range channels {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(ch[i]))
		}
	}
	x, pcm := decodeBytes(t, "scene.wav", wavSpec{rate: Rate, channels: len(channels), bits: 32, float: true}.file(data), Options{})
	return x, pcm.Report()
}

// toneIn returns the amplitude of a tone between two seconds, bursts and pauses together.
func toneIn(x []float32, hz, from, to float64) float64 {
	part := x[int(from*Rate):int(to*Rate)]
	var c, s float64
	for i, v := range part {
		w := 2 * math.Pi * hz * (from + float64(i)/Rate)
		c += float64(v) * math.Cos(w)
		s += float64(v) * math.Sin(w)
	}
	return 2 * math.Hypot(c, s) / float64(len(part))
}

func differ(a, b []float32) float64 {
	most := 0.0
	for i := range a {
		most = math.Max(most, math.Abs(float64(a[i]-b[i])))
	}
	return most
}

const step = 1.01 / 65536 // half a step of 16 bits

func TestADeadChannelIsLeftOut(t *testing.T) {
	t.Parallel()
	live, hiss := voice(400, 0.3, 1e-3, 0, heard), voice(400, 0, 3e-4, 0, 0)
	for name, dead := range map[string][]float32{"digital silence": make([]float32, len(live)), "hiss": hiss} {
		x, r := scene(t, live, dead)
		if differ(x, live) > step || r.Used != UsedLeft || !r.DeadChannel || !r.Has(WarnDeadChannel) {
			t.Errorf("right has %s: off by %g, %+v", name, differ(x, live), r)
		}
		x, r = scene(t, dead, live)
		if differ(x[Rate:], live[Rate:]) > step || r.Used != UsedRight || !r.DeadChannel {
			t.Errorf("left has %s: off by %g, %+v", name, differ(x[Rate:], live[Rate:]), r)
		}
	}
}

func TestACopyIsTakenOnce(t *testing.T) {
	t.Parallel()
	live := voice(400, 0.3, 1e-3, 0, heard)
	x, r := scene(t, live, live)
	if differ(x, live) > step || r.Used != UsedMono || !r.DuplicateChannel || r.DeadChannel || len(r.Warnings) > 0 {
		t.Errorf("off by %g, %+v", differ(x, live), r)
	}
}

func TestOppositePhaseDoesNotCancel(t *testing.T) {
	t.Parallel()
	live := voice(400, 0.3, 1e-3, 0, heard)
	x, r := scene(t, live, scaled(live, -0.9, 0))
	if differ(x, live) > step || r.Used != UsedLeft || !r.Has(WarnOppositePhase) {
		t.Errorf("off by %g, %+v", differ(x, live), r)
	}
}

func TestTwoSpeakersOnTwoChannelsAreBothHeard(t *testing.T) {
	t.Parallel()
	first, second := voice(400, 0.3, 1e-3, 0, heard), make([]float32, heard*Rate)
	copy(second, voice(650, 0.05, 1e-3, 0, heard)[Rate/2:]) // in the first one's pauses
	x, r := scene(t, first, second)
	if a := toneIn(x, 650, 1, 11); r.Used != UsedMix || a < 0.05*0.4/2*0.9 || toneIn(x, 400, 1, 11) < 0.3*0.4/2*0.9 {
		t.Errorf("the second speaker has %.4f: %+v", a, r)
	}
}

func TestALouderSpeakerIsNotLostBehindAClearerOne(t *testing.T) {
	t.Parallel()
	loud, clear := voice(400, 0.3, 1e-2, 0, heard), voice(650, 0, 1e-4, 0, 0)
	for i := 2 * Rate; i < len(clear); i++ { // after two quiet seconds hardly a pause, and its own rhythm
		at := float64(i) / Rate
		clear[i] += float32((0.06 + 0.04*math.Sin(2*math.Pi*3.3*at)) * math.Sin(2*math.Pi*650*at))
	}
	for _, channels := range [][][]float32{{loud, clear}, {clear, loud}} {
		x, r := scene(t, channels...)
		if a, b := toneIn(x, 400, 3, 11), toneIn(x, 650, 3, 11); a < 0.3*0.4/2*0.9 || b < 0.06/2*0.9 {
			t.Errorf("%.4f and %.4f: %+v", a, b, r)
		}
	}
}

func TestSteadyNoiseOnTheOtherChannelIsLeftOut(t *testing.T) {
	t.Parallel()
	live := voice(400, 0.3, 1e-3, 0, heard)
	x, r := scene(t, voice(500, 0, 0.02, 0, 0), live)
	if d := differ(x[4*Rate:], live[4*Rate:]); d > step || r.Used != UsedRight {
		t.Errorf("off by %g, %+v", d, r)
	}
}

func TestAWordAcrossTheBorderOfADecisionIsWhole(t *testing.T) {
	t.Parallel()
	first, second := voice(400, 0.3, 1e-3, 0, 5), voice(650, 0, 1e-3, 0, 0)
	for i := int(5.96 * Rate); i < int(6.2*Rate); i++ { // 40 ms of it before the border at 6 s
		second[i] += float32(0.05 * math.Sin(2*math.Pi*650*float64(i)/Rate))
	}
	x, _ := scene(t, first, second)
	for _, part := range [][2]float64{{5.96, 6}, {6, 6.2}} {
		if a := toneIn(x, 650, part[0], part[1]); a < 0.05/2*0.9 {
			t.Errorf("from %g s: %.4f", part[0], a)
		}
	}
}

func TestTheClearerOfTwoMicrophonesIsUsed(t *testing.T) {
	t.Parallel()
	near, far := voice(400, 0.3, 1e-3, 0, heard), voice(400, 0.1, 2e-2, 0, heard)
	copy(far[200:], far) // it arrives later
	x, r := scene(t, far, near)
	if r.Used != UsedRight || differ(x[3*Rate:], near[3*Rate:]) > step {
		t.Errorf("off by %g, %+v", differ(x[3*Rate:], near[3*Rate:]), r)
	}
	other := voice(400, 0.3, 1.1e-3, 0, heard)
	if _, r = scene(t, near, other); r.Used != UsedMix && r.Used != UsedMono {
		t.Errorf("two as clear as each other: %+v", r)
	}
}

func TestASpeakerWhoBeginsLateOnADeadChannelIsHeard(t *testing.T) {
	t.Parallel()
	first, second := voice(400, 0.3, 1e-3, 0, 5), voice(650, 0.2, 1e-3, 7, heard)
	for i := range 6 * Rate {
		second[i] = 0
	}
	x, r := scene(t, first, second)
	if a := toneIn(x, 650, 7, 12); a < 0.2*0.4/2*0.8 {
		t.Errorf("the second speaker has %.4f: %+v", a, r)
	}
}

func TestOfManyChannelsTheSilentOnesAreLeftOut(t *testing.T) {
	t.Parallel()
	live, dead := voice(400, 0.3, 1e-3, 0, heard), make([]float32, heard*Rate)
	x, r := scene(t, dead, dead, live, dead)
	if differ(x[3*Rate:], live[3*Rate:]) > step || r.Used != "channel 3" || !r.DeadChannel {
		t.Errorf("off by %g, %+v", differ(x[3*Rate:], live[3*Rate:]), r)
	}
}

func TestAConstantOffsetIsRemovedWithoutAClick(t *testing.T) {
	t.Parallel()
	live := voice(400, 0.3, 1e-3, 0, heard)
	x, r := scene(t, scaled(live, 1, 0.2))
	if d := differ(x, live); d > 0.002 || math.Abs(r.DC-0.2) > 0.001 || !r.Has(WarnOffset) {
		t.Errorf("off by %g, %+v", d, r)
	}
	x, r = scene(t, live)
	if differ(x, live) > step || r.Has(WarnOffset) {
		t.Errorf("sound without an offset was changed by %g: %+v", differ(x, live), r)
	}
}

func TestQuietSoundIsReportedAndNotAmplified(t *testing.T) {
	t.Parallel()
	quiet := voice(400, 0.004, 1e-4, 0, heard)
	x, r := scene(t, quiet)
	if differ(x, quiet) > step || !r.Has(WarnLowLevel) {
		t.Errorf("changed by %g: %+v", differ(x, quiet), r)
	}
}
