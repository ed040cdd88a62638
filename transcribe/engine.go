package transcribe

import (
	"context"
)

// FrameSamples is the length of one speech-probability frame: 512 samples, 32 ms at 16 kHz.
const FrameSamples = 512

// Engine turns samples into tokens. transcribe/whisper implements it with child processes.
//
// All methods MUST be safe for concurrent use and MUST return ctx.Err() when ctx ends first, never a partial result as a
// success. A crash or hang of the engine MUST be a *fault.Error of kind Unavailable; the same call may then be repeated.
// Equal input MUST give equal output (temperature 0, or above it from a fresh random state).
type Engine interface {
	// Model names the weights that are loaded.
	Model() ModelFacts
	// Slots is how many calls run at once without slowing each other.
	Slots() int
	// Speech returns the probability of speech for each frame of FrameSamples samples, the last one padded.
	Speech(ctx context.Context, samples []float32) ([]float32, error)
	// Decode decodes at most 30 s of 16 kHz mono.
	Decode(ctx context.Context, samples []float32, o DecodeOptions) (Decoding, error)
}

// DecodeOptions are the settings of one decode.
type DecodeOptions struct {
	Language    string  `json:"language"`         // "en", or "auto"
	Prompt      string  `json:"prompt,omitempty"` // text the model should think came before; its last 223 tokens count
	Temperature float64 `json:"temperature,omitempty"`
	Timestamps  bool    `json:"timestamps,omitempty"` // let the model write timestamp tokens: slower, but breaks some loops
}

// Token is one text token. Text is raw bytes, because a token may end inside a character.
type Token struct {
	Text []byte  `json:"text"`
	P    float64 `json:"p"`
	LogP float64 `json:"logp"`
	End  float64 `json:"end"` // second at which it ends, from the start of the samples; −1 if unknown
}

// Decoding is what the engine heard in one stretch of samples.
type Decoding struct {
	Tokens       []Token `json:"tokens"`
	NoSpeechProb float64 `json:"no_speech_prob"` // 0…1, asked right after the start token
	Ended        bool    `json:"ended"`          // false: cut at the token limit
	Seconds      float64 `json:"seconds"`        // spent in the engine
}

// AvgLogProb is the mean log probability of the tokens, 0 for none.
func (d Decoding) AvgLogProb() float64 {
	if len(d.Tokens) == 0 {
		return 0
	}
	var sum float64
	for _, t := range d.Tokens {
		sum += t.LogP
	}
	return sum / float64(len(d.Tokens))
}
