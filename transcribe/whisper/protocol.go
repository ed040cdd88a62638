package whisper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"vesper/transcribe"
)

// A frame is a u32 length, a kind, and length−1 bytes of payload. All integers are little-endian.
type kind byte

const (
	kindLoad   kind = 'L' // to the child: loadConfig as JSON
	kindSpeech kind = 'S' // to the child: samples
	kindEncode kind = 'N' // to the child: samples, at most 30 s; the requests below are about them
	kindDecode kind = 'D' // to the child: transcribe.DecodeOptions as JSON
	kindScore  kind = 'O' // to the child: scoreRequest as JSON
	kindAlign  kind = 'A' // to the child: alignRequest as JSON
	kindCancel kind = 'C' // to the child: nothing; stops the running call
	kindReady  kind = 'R' // from the child: readyInfo as JSON
	kindProbs  kind = 'P' // from the child: probabilities
	kindAnswer kind = 'T' // from the child: answered as JSON
	kindError  kind = 'E' // from the child: childError as JSON
)

// maxFrame bounds a frame: ten minutes of samples fit, and a damaged length cannot ask for more memory.
const maxFrame = 64 << 20

var (
	errFrameSize = errors.New("frame length out of bounds")
	errFrame     = errors.New("malformed frame")
)

// loadConfig is what a child needs to load its weights.
type loadConfig struct {
	Name     string `json:"name"` // of the model, for the alignment heads
	Model    string `json:"model"`
	VAD      string `json:"vad"`
	SharedFD int    `json:"shared_fd"` // −1: weights are not shared
	GPU      bool   `json:"gpu"`
	Threads  int    `json:"threads"`
}

type scoreRequest struct {
	Context transcribe.Context `json:"context"`
	Base    []int              `json:"base,omitempty"`
	Edits   []transcribe.Edit  `json:"edits,omitempty"`
}

type alignRequest struct {
	Context transcribe.Context `json:"context"`
	Tokens  []int              `json:"tokens"`
}

// answered is the answer to an encode, a decode, a score or an align request.
type answered struct {
	NoSpeech float64     `json:"no_speech,omitempty"`
	Heard    []heard     `json:"heard,omitempty"`
	Base     []float32   `json:"base,omitempty"`   // log probabilities of the base of a score request
	Edits    [][]float32 `json:"edits,omitempty"`  // and of its edits
	Rivals   [][]rival   `json:"rivals,omitempty"` // of each token of the base
	Ends     []int32     `json:"ends,omitempty"`   // centiseconds
	Seconds  float64     `json:"seconds"`          // spent in the engine
}

type readyInfo struct {
	Version string `json:"version"`
}

// childError crosses the pipe; Code says which error it was.
type childError struct {
	Code string `json:"code"` // "cancelled", "language", "input", "failed"
	Text string `json:"text"` // private; never patient text
}

func writeFrame(w io.Writer, k kind, payload []byte) error {
	if len(payload) >= maxFrame {
		return errFrameSize
	}
	head := make([]byte, 5, 5+len(payload))
	binary.LittleEndian.PutUint32(head, uint32(len(payload)+1))
	head[4] = byte(k)
	_, err := w.Write(append(head, payload...))
	return err
}

func readFrame(r io.Reader) (kind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n < 1 || n > maxFrame {
		return 0, nil, fmt.Errorf("%w: %d", errFrameSize, n)
	}
	payload, err := readGrowing(r, int(n-1))
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return kind(head[4]), payload, err
}

// readGrowing takes memory as bytes arrive, so that a length alone costs nothing.
func readGrowing(r io.Reader, n int) ([]byte, error) {
	const step = 1 << 20
	buf := make([]byte, 0, min(n, step))
	for len(buf) < n {
		at := len(buf)
		buf = append(buf, make([]byte, min(n-at, max(step, at)))...)
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func packFloats(dst []byte, v []float32) []byte {
	for _, f := range v {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
	}
	return dst
}

func unpackFloats(b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, errFrame
	}
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}
