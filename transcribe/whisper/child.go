package whisper

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"vesper/transcribe"
)

const (
	childEnv   = "VESPER_ENGINE_CHILD"
	niceEnv    = "VESPER_ENGINE_NICE"
	memoryEnv  = "VESPER_ENGINE_MEMORY"
	fdRequests = 3
	fdReplies  = 4
	fdWeights  = 5
)

// RunChildIfAsked turns this process into an engine child when a Pool started it, and then never returns. In any other
// process it does nothing. Call it before anything else in main, and in TestMain of tests that make a Pool.
func RunChildIfAsked() {
	if os.Getenv(childEnv) != "1" {
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil { // a core would hold speech
		fmt.Fprintln(os.Stderr, "engine child: core limit:", err)
		os.Exit(2)
	}
	if most, err := strconv.ParseUint(os.Getenv(memoryEnv), 10, 64); err == nil {
		boundMemory(most)
	}
	runtime.LockOSThread() // OpenMP keeps one team of threads for each thread that calls it
	if nice, err := strconv.Atoi(os.Getenv(niceEnv)); err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice) // of this thread and those it starts; a courtesy only
	}
	in, out := os.NewFile(fdRequests, "requests"), os.NewFile(fdReplies, "replies")
	if err := serve(bufio.NewReaderSize(in, 1<<16), out); err != nil {
		fmt.Fprintln(os.Stderr, "engine child:", err)
		os.Exit(2)
	}
	os.Exit(0)
}

type request struct {
	kind    kind
	payload []byte
}

// serve answers requests one after another until the parent closes its end. Cancels are seen while a call runs.
func serve(in io.Reader, out io.Writer) error {
	k, payload, err := readFrame(in)
	if err != nil || k != kindLoad {
		return fmt.Errorf("load request: %w", errors.Join(err, errFrame))
	}
	var cfg loadConfig
	if err := json.Unmarshal(payload, &cfg); err != nil {
		return fmt.Errorf("load request: %w", err)
	}
	e, err := openEngine(cfg)
	if err != nil {
		return errors.Join(err, reply(out, kindError, childError{"failed", err.Error()}))
	}
	if err := reply(out, kindReady, readyInfo{Version()}); err != nil {
		return err
	}
	requests := make(chan request)
	go func() {
		err := readRequests(in, e, requests)
		if err == nil { // the parent is gone or done with us; nothing is worth finishing
			os.Exit(0)
		}
		fmt.Fprintln(os.Stderr, "engine child:", err)
		os.Exit(2)
	}()
	for req := range requests {
		if err := answer(e, req, out); err != nil {
			return err
		}
	}
	return nil
}

func readRequests(in io.Reader, e *engine, requests chan<- request) error {
	for {
		k, payload, err := readFrame(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case k == kindCancel:
			e.cancel()
		default:
			e.arm()
			requests <- request{k, payload}
		}
	}
}

func answer(e *engine, req request, out io.Writer) error {
	if req.kind == kindSpeech {
		samples, err := unpackFloats(req.payload)
		if err != nil {
			return err
		}
		probs, err := e.speech(samples)
		if err != nil {
			return replyError(out, err)
		}
		return writeFrame(out, kindProbs, packFloats(nil, probs))
	}
	began := time.Now()
	a, err := work(e, req)
	switch {
	case errors.Is(err, errFrame):
		return err
	case err != nil:
		return replyError(out, err)
	}
	a.Seconds = time.Since(began).Seconds()
	return reply(out, kindAnswer, a)
}

func work(e *engine, req request) (a answered, err error) {
	switch req.kind {
	case kindEncode:
		var samples []float32
		if samples, err = unpackFloats(req.payload); err == nil {
			a.NoSpeech, err = e.encode(samples)
		}
	case kindDecode:
		var o transcribe.DecodeOptions
		if err = unpack(req.payload, &o); err == nil {
			a.Heard, err = e.decode(o)
		}
	case kindScore:
		var r scoreRequest
		if err = unpack(req.payload, &r); err == nil {
			a.Base, a.Edits, a.Rivals, err = e.score(r)
		}
	case kindAlign:
		var r alignRequest
		if err = unpack(req.payload, &r); err == nil {
			a.Ends, err = e.align(r)
		}
	default:
		err = fmt.Errorf("%w: kind %q", errFrame, req.kind)
	}
	return a, err
}

func unpack(payload []byte, v any) error {
	if json.Unmarshal(payload, v) != nil {
		return fmt.Errorf("%w: not the expected JSON", errFrame) // the cause could quote the request
	}
	return nil
}

func reply(out io.Writer, k kind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("pack reply: %w", err)
	}
	return writeFrame(out, k, b)
}

func replyError(out io.Writer, err error) error {
	code := "failed"
	switch {
	case errors.Is(err, errCancelled):
		code = "cancelled"
	case errors.Is(err, errLanguage):
		code = "language"
	case errors.Is(err, errInput):
		code = "input"
	}
	return reply(out, kindError, childError{code, err.Error()})
}

var _ transcribe.Engine = (*Pool)(nil)
