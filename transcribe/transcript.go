// Package transcribe turns audio into words that can be trusted: each word has a time and a confidence, and each second
// of the recording is accounted for as words, silence, unheard speech or struck text. It is pure Go and needs no service;
// the engine behind it is an interface that transcribe/whisper implements in child processes.
//
//	file ─▶ audio.Decode ─▶ 16 kHz mono ─▶ Split into chunks at pauses ─▶ Engine, chunk by chunk ─▶ Transcript
package transcribe

import "vesper/transcribe/audio"

// Word is one word as the engine wrote it, with its punctuation. Times are seconds from the start of the recording.
type Word struct {
	Text       string  `json:"text"`
	Start      float64 `json:"start"`
	End        float64 `json:"end"`
	Confidence float64 `json:"confidence"` // 0…1: the probability that it was said as written
}

// SpanKind says what a stretch of the recording holds.
type SpanKind string

// The kinds of span. They tile the recording: sorted, without gap or overlap.
const (
	SpanWords   SpanKind = "words"   // speech that became words
	SpanSilence SpanKind = "silence" // nobody speaks
	SpanUnheard SpanKind = "unheard" // speech that did not become words: a person must listen
	SpanStruck  SpanKind = "struck"  // text the engine wrote over non-speech or in a loop; kept, marked, restorable
)

// Span is a stretch of the recording and what it holds. Struck and unheard spans have a reason, struck ones the text. Words
// have a reason where no attempt to decode them went without trouble; see Unreliable.
type Span struct {
	Start  float64  `json:"start"`
	End    float64  `json:"end"`
	Kind   SpanKind `json:"kind"`
	Reason string   `json:"reason,omitempty"` // one of the Reason constants
	Text   string   `json:"text,omitempty"`   // what was struck
}

// AudioFacts identifies the recording that was transcribed.
type AudioFacts struct {
	SHA256  string  `json:"sha256"` // of the bytes as received, hex
	Seconds float64 `json:"seconds"`
	// Warnings are what a person should know of the recording itself: cut off, clipped, a silent channel, very faint.
	Warnings []audio.Warning `json:"warnings,omitempty"`
}

// ModelFacts identifies the weights that produced the words.
type ModelFacts struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Transcript is the immutable result of one engine run over one recording. Its JSON is the output of
// `vesper transcribe --json` and the input of `vesper draft`; other tools rely on it.
type Transcript struct {
	Audio         AudioFacts `json:"audio"`
	Model         ModelFacts `json:"model"`
	EngineSeconds float64    `json:"engine_seconds"` // wall seconds spent in the engine
	Text          string     `json:"text"`           // the words joined by single spaces
	Words         []Word     `json:"words"`
	Spans         []Span     `json:"spans"`
	Doubts        []Doubt    `json:"doubts"`   // in order of time
	Settings      Settings   `json:"settings"` // of the run, as frozen
}
