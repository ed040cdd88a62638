package whisper

import (
	"math"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkKernels encodes 30 s in one engine with ggml's own kernels and in one with ours, by turns, on one thread, and
// reports the least and the middle processor time of each: other load on the machine shows little in it.
//
//	go test ./transcribe/whisper -run '^$' -bench Kernels -benchtime 10x
func BenchmarkKernels(b *testing.B) {
	cfg, err := testConfig()
	if err != nil {
		b.Fatal(err)
	}
	load := loadConfig{Name: cfg.Model.Name, Model: cfg.Model.Path, VAD: cfg.VAD.Path, Threads: 1}
	window := slices.Repeat(speech(b), 3)[:longest]
	open := func(setting string) *engine {
		os.Setenv("VESPER_ENGINE_KERNELS", setting)
		e, err := openEngine(load)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(e.close)
		return e
	}
	names := []string{"stock", "ours"}
	engines := []*engine{open("off"), open("on")} // in this order: a backend, once known, is never unknown again
	times := make([][]float64, 2)
	for b.Loop() {
		for i, e := range engines {
			start := processorTime(b)
			if _, err := e.encode(window); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], float64(processorTime(b)-start)/1e6)
		}
	}
	for i, t := range times {
		slices.Sort(t)
		b.ReportMetric(t[0], names[i]+"-min-ms")
		b.ReportMetric(t[len(t)/2], names[i]+"-median-ms")
	}
	b.ReportMetric(math.Round(100*times[0][0]/times[1][0])/100, "times-faster")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
