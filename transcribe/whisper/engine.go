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
	"time"
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
)

// longest is what one decode may be given: the model sees 30 s.
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
		model_path: model, vad_path: vad, preset: preset,
		use_gpu: cbool(cfg.GPU), word_times: cbool(cfg.WordTimes), n_threads: C.int(max(1, cfg.Threads)),
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

func (e *engine) decode(samples []float32, o transcribe.DecodeOptions) (transcribe.Decoding, error) {
	if len(samples) == 0 {
		return transcribe.Decoding{NoSpeechProb: 1, Ended: true, Tokens: []transcribe.Token{}}, nil
	}
	if len(samples) > longest {
		return transcribe.Decoding{}, fmt.Errorf("%d samples in one decode, at most %d", len(samples), longest)
	}
	clean(samples)
	began := time.Now()
	language, prompt := C.CString(o.Language), C.CString(o.Prompt)
	defer C.free(unsafe.Pointer(language))
	defer C.free(unsafe.Pointer(prompt))
	opts := C.vsp_options{
		language: language, prompt: prompt, temperature: C.float(o.Temperature), timestamps: cbool(o.Timestamps),
	}
	var tokens *C.vsp_token
	var n, ended C.int
	var noSpeech C.float
	rc := C.vsp_decode(e.c, (*C.float)(unsafe.Pointer(&samples[0])), C.int(len(samples)), &opts, &tokens, &n, &noSpeech, &ended) //nolint:gocritic // as above
	runtime.KeepAlive(samples)
	if err := shimError(rc); err != nil {
		return transcribe.Decoding{}, err
	}
	d := transcribe.Decoding{NoSpeechProb: float64(noSpeech), Ended: ended != 0, Tokens: make([]transcribe.Token, 0, int(n))}
	for _, t := range unsafe.Slice(tokens, int(n)) {
		var size C.int
		text := C.vsp_text(e.c, t.id, &size)
		end := float64(t.t) / 100
		if t.t < 0 {
			end = -1
		}
		d.Tokens = append(d.Tokens, transcribe.Token{
			Text: C.GoBytes(unsafe.Pointer(text), size), P: float64(t.p), LogP: float64(t.logp), End: end,
		})
	}
	d.Seconds = time.Since(began).Seconds()
	return d, nil
}

func shimError(rc C.int) error {
	switch rc {
	case C.VSP_OK:
		return nil
	case C.VSP_CANCELLED:
		return errCancelled
	case C.VSP_BAD_LANGUAGE:
		return errLanguage
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
