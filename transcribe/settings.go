package transcribe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"vesper/internal/lexicon"
)

// settingsVersion is raised when splitting, guards, word times or doubts change, so that saved chunks of an older version are not
// mixed with new ones.
const settingsVersion = 5

const (
	defaultBeams = 5 // as the model's authors evaluate it
	mostBeams    = 8
)

// Settings are frozen into a job when it is queued; a retry never changes them. The zero value means the defaults, with
// whatever model the engine has loaded.
type Settings struct {
	Version int        `json:"version"`
	Model   ModelFacts `json:"model"`
	// Check is the second model that listens for other risk words, nil for none.
	Check        *ModelFacts `json:"check,omitempty"`
	Language     string      `json:"language"`
	Prompt       string      `json:"prompt,omitempty"` // text that the model is shown as having come before; "": how dictations read; NoPrompt
	ChunkSeconds float64     `json:"chunk_seconds"`    // longest chunk, at most 28: the model sees 30 s
	Beams        int         `json:"beams"`            // hypotheses side by side in the search; 1 is greedy
	Vocabulary   string      `json:"vocabulary"`       // fingerprint of the lexicon of the second pass; "off": no second pass
	// Terms are what is known for this dictation: the author's and the practice's words and names, the patient's name,
	// drugs and problems. The second pass expects them and believes them sooner than other terms.
	Terms []lexicon.Term `json:"terms,omitempty"`
}

// Freeze fills the defaults and the engine's model.
func (s Settings) Freeze(model ModelFacts) Settings {
	if s.Version == 0 {
		s.Version = settingsVersion
	}
	if s.Model == (ModelFacts{}) {
		s.Model = model
	}
	if s.Language == "" {
		s.Language = "en"
	}
	if s.Prompt == "" && s.Language == "en" {
		s.Prompt = dictationStyle
	}
	if s.ChunkSeconds <= 0 || s.ChunkSeconds > maxChunkSeconds {
		s.ChunkSeconds = maxChunkSeconds
	}
	s.ChunkSeconds = max(s.ChunkSeconds, minChunkSeconds)
	if s.Beams <= 0 {
		s.Beams = defaultBeams
	}
	s.Beams = min(s.Beams, mostBeams)
	return s
}

// NoPrompt shows the model nothing.
const NoPrompt = "-"

// dictationStyle shows the model how a dictated note reads: with figures and units, spoken punctuation as words, and without
// chatter. On the dictations for fitting it took a quarter off the word error rate of the search alone, a third where
// punctuation is spoken, and a tenth where it is not.
const dictationStyle = "Dictated medical note, with spoken punctuation. The patient denies chest pain, comma, nausea, comma, or dyspnea, period. " +
	"Continue lisinopril 10 mg daily, period. New paragraph. Assessment and plan, colon, follow up in 2 weeks, period."

// known fills the lexicon's fingerprint.
func (s Settings) known(l *lexicon.Lexicon) Settings {
	switch {
	case s.Vocabulary == "" && l != nil:
		s.Vocabulary = l.Fingerprint()
	case s.Vocabulary == "":
		s.Vocabulary = NoVocabulary
	}
	return s
}

// NoVocabulary leaves out the second pass.
const NoVocabulary = "off"

// Hash identifies the settings: the SHA-256 of their JSON, hex.
func (s Settings) Hash() string {
	b, err := json.Marshal(s)
	if err != nil { // strings and numbers only; NaN is the one way to get here, and Freeze bounds it
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
