package whisper

import (
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vesper/transcribe"
)

// BenchmarkKernels does what a dictation asks for in one engine with ggml's own kernels and decoder and in one with ours, by
// turns, on one thread, and reports the least processor time of each and the ratio: other load on the machine shows little
// in it.
//
//	go test ./transcribe/whisper -run '^$' -bench Kernels -benchtime 5x
func BenchmarkKernels(b *testing.B) {
	cfg, err := testConfig()
	if err != nil {
		b.Fatal(err)
	}
	load := loadConfig{Name: cfg.Model.Name, Model: cfg.Model.Path, VAD: cfg.VAD.Path, Threads: 1, SharedFD: -1}
	window := slices.Repeat(speech(b), 3)[:longest]
	open := func(setting string) *engine {
		b.Setenv("VESPER_ENGINE_KERNELS", setting)
		e, err := openEngine(load)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(e.close)
		return e
	}
	engines := []*engine{open("off"), open("on")} // in this order: a backend, once known, is never unknown again
	p := sharedPool(b)
	base := p.Encode(strings.Repeat(" And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country.", 2))
	told := transcribe.Context{Language: "en", Prompt: p.Encode(strings.Repeat(" Kennedy, inauguration, country, fellow Americans.", 15))}
	edit := p.Encode(" Armenians, ask not what your county can")
	var edits []transcribe.Edit
	for at := range 30 {
		edits = append(edits, transcribe.Edit{At: at, Tokens: edit})
	}
	for _, work := range []struct {
		name string
		do   func(*engine) error
	}{
		{"encode", func(e *engine) error { _, err := e.encode(window); return err }},
		{"greedy", func(e *engine) error { _, err := e.decode(transcribe.DecodeOptions{Context: en}); return err }},
		{"beam5-told", func(e *engine) error {
			_, err := e.decode(transcribe.DecodeOptions{Context: told, Beams: 5})
			return err
		}},
		{"score-30-edits", func(e *engine) error { _, _, _, err := e.score(scoreRequest{told, base, edits}); return err }},
		{"align", func(e *engine) error { _, err := e.align(alignRequest{en, base}); return err }},
	} {
		b.Run(work.name, func(b *testing.B) {
			times := make([][]float64, len(engines))
			for b.Loop() {
				for i, e := range engines {
					if _, err := e.encode(window); err != nil { // so that nothing is known of the request before
						b.Fatal(err)
					}
					start := processorTime(b)
					if err := work.do(e); err != nil {
						b.Fatal(err)
					}
					times[i] = append(times[i], float64(processorTime(b)-start)/1e6)
				}
			}
			stock, ours := slices.Min(times[0]), slices.Min(times[1])
			b.ReportMetric(stock, "stock-ms")
			b.ReportMetric(ours, "ours-ms")
			b.ReportMetric(math.Round(100*stock/ours)/100, "times-faster")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
