package whisper

/*
#cgo CFLAGS: -std=c11 -O2 -Wall -Wextra
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"unsafe"

	// The bindings module carries the linker flags for whisper.cpp on each system. Its high level is not used: it shares
	// one state between calls, hides cancellation and loses words at window edges.
	_ "github.com/ggerganov/whisper.cpp/bindings/go"

	"vesper/transcribe"
	"vesper/transcribe/audio"
)

var (
	errCancelled = errors.New("cancelled") // the parent asked the child to stop
	errLanguage  = errors.New("unknown language")
	errInput     = errors.New("input out of bounds")
)

// longest is what one encode may be given: the model sees 30 s.
const longest = 30 * audio.Rate

// engine is the loaded library inside a child process. Only cancel may be called while another call runs.
type engine struct {
	c *C.vsp_engine
}

func openEngine(cfg loadConfig) (*engine, error) {
	model, vad, preset := C.CString(cfg.Model), C.CString(cfg.VAD), C.CString(preset(cfg.Name))
	defer C.free(unsafe.Pointer(model))
	defer C.free(unsafe.Pointer(vad))
	defer C.free(unsafe.Pointer(preset))
	c := C.vsp_config{
		model_path: model, vad_path: vad, preset: preset, shared_fd: C.int(cfg.SharedFD),
		use_gpu: cbool(cfg.GPU), n_threads: C.int(max(1, cfg.Threads)),
	}
	e := &engine{}
	if rc := C.vsp_open(&c, &e.c); rc != C.VSP_OK { //nolint:gocritic // seen in the code that cgo makes
		return nil, fmt.Errorf("load model: shim code %d", int(rc))
	}
	return e, nil
}

func (e *engine) close() {
	C.vsp_close(e.c)
	e.c = nil
}

func (e *engine) arm()    { C.vsp_arm(e.c) }
func (e *engine) cancel() { C.vsp_cancel(e.c) }

// speech returns one probability per 512 samples.
func (e *engine) speech(samples []float32) ([]float32, error) {
	if len(samples) == 0 {
		return nil, nil
	}
	clean(samples)
	var probs *C.float
	var n C.int
	rc := C.vsp_speech(e.c, (*C.float)(unsafe.Pointer(&samples[0])), C.int(len(samples)), &probs, &n) //nolint:gocritic // as above
	runtime.KeepAlive(samples)
	if err := shimError(rc); err != nil {
		return nil, err
	}
	out := make([]float32, int(n))
	copy(out, unsafe.Slice((*float32)(unsafe.Pointer(probs)), int(n)))
	return out, nil
}

// encode listens to the samples and returns the probability that nobody speaks in them.
func (e *engine) encode(samples []float32) (noSpeech float64, err error) {
	if len(samples) == 0 || len(samples) > longest {
		return 1, fmt.Errorf("%w: %d samples", errInput, len(samples))
	}
	clean(samples)
	var p C.float
	rc := C.vsp_encode(e.c, (*C.float)(unsafe.Pointer(&samples[0])), C.int(len(samples)), &p)
	runtime.KeepAlive(samples)
	return float64(p), shimError(rc)
}

// heard is one text that a decode found.
type heard struct {
	Tokens []int32   `json:"tokens"`
	LogP   []float32 `json:"logp"`
	Score  float64   `json:"score"`
	Ended  bool      `json:"ended"`
}

func (e *engine) decode(o transcribe.DecodeOptions) ([]heard, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	c, free := cContext(o.Context, &pin)
	defer free()
	mask, nMask := ids(o.Mask, &pin)
	opts := C.vsp_options{
		context: c, beams: C.int(o.Beams), temperature: C.float(o.Temperature), timestamps: cbool(o.Timestamps),
		mask: mask, n_mask: nMask,
	}
	var found *C.vsp_hypothesis
	var n C.int
	if err := shimError(C.vsp_decode(e.c, &opts, &found, &n)); err != nil { //nolint:gocritic // as above
		return nil, err
	}
	out := make([]heard, 0, int(n))
	for _, h := range unsafe.Slice(found, int(n)) {
		t := heard{Score: float64(h.score), Ended: h.ended != 0, Tokens: []int32{}, LogP: []float32{}}
		for _, token := range unsafe.Slice(h.tokens, int(h.n)) {
			t.Tokens = append(t.Tokens, int32(token.id))
			t.LogP = append(t.LogP, float32(token.logp))
		}
		out = append(out, t)
	}
	return out, nil
}

// rival is what could stand in the place of a token.
type rival struct {
	Token int32   `json:"t"`
	LogP  float32 `json:"p"`
}

func (e *engine) score(r scoreRequest) (base []float32, edits [][]float32, rivals [][]rival, err error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	c, free := cContext(r.Context, &pin)
	defer free()
	var flat []int
	at, lengths := make([]C.int, 1, len(r.Edits)+1), make([]C.int, 1, len(r.Edits)+1) // never empty, so there is an address
	for i, x := range r.Edits {
		flat = append(flat, x.Tokens...)
		at, lengths = append(at[:i], C.int(x.At)), append(lengths[:i], C.int(len(x.Tokens)))
	}
	x := C.vsp_edits{n: C.int(len(r.Edits)), at: &at[0], lengths: &lengths[0]}
	pin.Pin(&at[0])
	pin.Pin(&lengths[0])
	x.base, x.n_base = ids(r.Base, &pin)
	x.tokens, _ = ids(flat, &pin)
	var logps *C.float
	if err := shimError(C.vsp_score(e.c, &c, &x, &logps)); err != nil { //nolint:gocritic // as above
		return nil, nil, nil, err
	}
	all := unsafe.Slice((*float32)(unsafe.Pointer(logps)), len(r.Base)+len(flat))
	take := func(n int) []float32 {
		out := append([]float32{}, all[:n]...)
		all = all[n:]
		return out
	}
	base = take(len(r.Base))
	for _, x := range r.Edits {
		edits = append(edits, take(len(x.Tokens)))
	}
	for _, t := range unsafe.Slice(C.vsp_rivals(e.c), len(r.Base)*C.VSP_RIVALS) {
		if i := len(rivals); i == 0 || len(rivals[i-1]) == C.VSP_RIVALS {
			rivals = append(rivals, nil)
		}
		at := &rivals[len(rivals)-1]
		*at = append(*at, rival{int32(t.id), float32(t.logp)})
	}
	return base, edits, rivals, nil
}

func (e *engine) align(r alignRequest) ([]int32, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	c, free := cContext(r.Context, &pin)
	defer free()
	tokens, n := ids(r.Tokens, &pin)
	var ends *C.int32_t
	if err := shimError(C.vsp_align(e.c, &c, tokens, n, &ends)); err != nil { //nolint:gocritic // as above
		return nil, err
	}
	return append([]int32(nil), unsafe.Slice((*int32)(unsafe.Pointer(ends)), int(n))...), nil
}

// cContext is a context for C; free must run after the call.
func cContext(c transcribe.Context, pin *runtime.Pinner) (out C.vsp_context, free func()) {
	language := C.CString(c.Language)
	prompt, n := ids(c.Prompt, pin)
	return C.vsp_context{language: language, prompt: prompt, n_prompt: n}, func() { C.free(unsafe.Pointer(language)) }
}

// ids are token ids for C, in memory that stays where it is until pin lets go.
func ids(tokens []int, pin *runtime.Pinner) (*C.int32_t, C.int) {
	if len(tokens) == 0 {
		return nil, 0
	}
	out := make([]C.int32_t, len(tokens))
	for i, t := range tokens {
		out[i] = C.int32_t(t)
	}
	pin.Pin(&out[0])
	return &out[0], C.int(len(out))
}

func shimError(rc C.int) error {
	switch rc {
	case C.VSP_OK:
		return nil
	case C.VSP_CANCELLED:
		return errCancelled
	case C.VSP_BAD_LANGUAGE:
		return errLanguage
	case C.VSP_BAD_INPUT:
		return errInput
	default:
		return fmt.Errorf("engine failed: shim code %d", int(rc))
	}
}

// clean keeps NaN and infinities, which no real recording has, from poisoning a whole spectrogram.
func clean(samples []float32) {
	for i, s := range samples {
		if v := float64(s); math.IsNaN(v) || math.IsInf(v, 0) {
			samples[i] = 0
		}
	}
}

func cbool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Version is the whisper.cpp release that is linked in.
func Version() string { return C.GoString(C.vsp_version()) }

// preset strips the quantisation from a model's name: "base.en-q8_0" → "base.en".
func preset(name string) string {
	for _, q := range []string{"-q4_0", "-q4_k", "-q5_0", "-q5_1", "-q8_0", "-f16"} {
		name = strings.TrimSuffix(name, q)
	}
	return name
}
