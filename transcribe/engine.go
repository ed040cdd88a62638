package transcribe

import (
	"context"
)

// FrameSamples is the length of one speech-probability frame: 512 samples, 32 ms at 16 kHz.
const FrameSamples = 512

// Engine turns samples into tokens. transcribe/whisper implements it with child processes.
//
// All methods MUST be safe for concurrent use and MUST return ctx.Err() when ctx ends first, never a partial result as a
// success. A crash or hang of the engine MUST be a *fault.Error of kind Unavailable; the same work may then be repeated.
// Equal input MUST give equal output (temperature 0, or above it from a fresh random state).
type Engine interface {
	// Model names the weights that are loaded.
	Model() ModelFacts
	// Slots is how many calls run at once without slowing each other.
	Slots() int
	// Encode turns text into token ids the way the model was trained; a text inside a sentence begins with a space.
	Encode(text string) []int
	// Bytes is the text of a token, which may end inside a character; nil for tokens that are not text.
	Bytes(id int) []byte
	// Speech returns the probability of speech for each frame of FrameSamples samples, the last one padded.
	Speech(ctx context.Context, samples []float32) ([]float32, error)
	// Hear listens to at most 30 s of 16 kHz mono and keeps what it heard, and a slot, until Close.
	Hear(ctx context.Context, samples []float32) (Hearing, error)
}

// Hearing is one stretch of audio that an engine has listened to. Its methods are called one at a time.
type Hearing interface {
	// NoSpeech is the probability that nobody speaks, 0…1.
	NoSpeech() float64
	// Decode returns the best texts, best first; at least one.
	Decode(ctx context.Context, o DecodeOptions) ([]Decoding, error)
	// Score returns how likely a base text is, and texts that could stand in it. An edit may hold at most 64 tokens.
	Score(ctx context.Context, c Context, base []int, edits []Edit) (Scores, error)
	// Align returns the second at which each token ends, from the start of the samples.
	Align(ctx context.Context, c Context, tokens []int) ([]float64, error)
	// Seconds is the time spent in the engine so far.
	Seconds() float64
	// Close gives the slot back. Calling it twice is safe.
	Close()
}

// Edit is a text that could follow the first At tokens of a base text.
type Edit struct {
	At     int   `json:"at"`
	Tokens []int `json:"tokens"`
}

// Scores are log probabilities, one for each token.
type Scores struct {
	Base  []float64
	Edits [][]float64
	// Rivals are, for each token of the base, the likeliest other tokens in its place, the likeliest first.
	Rivals [][]Rival
}

// Rival is a token that could stand in the place of another.
type Rival struct {
	ID   int
	LogP float64
}

// Context is what the model is told before it listens.
type Context struct {
	Language string `json:"language"`         // "en", or "auto"
	Prompt   []int  `json:"prompt,omitempty"` // tokens that the model should think came before; the last 223 count
}

// DecodeOptions are the settings of one decode.
type DecodeOptions struct {
	Context
	Beams       int     `json:"beams,omitempty"` // 1 or 0: greedy; at most 8
	Temperature float64 `json:"temperature,omitempty"`
	Timestamps  bool    `json:"timestamps,omitempty"` // let the model write timestamp tokens: slower, but breaks some loops
	Mask        []int   `json:"mask,omitempty"`       // tokens that must not be written
}

// Token is one text token. Text is raw bytes, because a token may end inside a character.
type Token struct {
	ID   int
	Text []byte
	LogP float64
	End  float64 // second at which it ends, from the start of the samples; −1 if unknown
}

// Decoding is what the engine heard in one stretch of samples.
type Decoding struct {
	Tokens []Token
	Score  float64 // mean log probability, the end of the text included
	Ended  bool    // false: cut at the token limit
}

// IDs are the token ids.
func (d Decoding) IDs() []int {
	out := make([]int, len(d.Tokens))
	for i, t := range d.Tokens {
		out[i] = t.ID
	}
	return out
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
