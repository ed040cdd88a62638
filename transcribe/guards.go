package transcribe

import (
	"bytes"
	"compress/zlib"
	"slices"
	"strings"
	"unicode"
)

// The reasons that guards give. They stand in the spans of a transcript.
const (
	ReasonLoop      = "loop"       // the same words again and again
	ReasonNonSpeech = "non_speech" // text where nobody speaks: "[BLANK_AUDIO]", or doubtful words over noise
	ReasonPhantom   = "phantom"    // a phrase from the training data ("thanks for watching") without speech behind it
	ReasonTooFast   = "too_fast"   // more words than a mouth can say
	ReasonTooFew    = "too_few"    // long speech, hardly a word
	ReasonCut       = "cut"        // the token limit ended the text
	ReasonPrompt    = "prompt"     // the words the model was shown, not what was said
	ReasonNoWords   = "no_words"   // of an unheard span: speech without words
)

const (
	noSpeechBar    = 0.6  // probability of "no speech" …
	noSpeechLogP   = -0.7 // … together with doubtful text
	loudNoSpeech   = 0.3  // where the detector hears no speech at all, less is enough
	loudLogP       = -0.5
	fewWords       = 4 // a whole chunk with no more words than these, and …
	fewNoSpeech    = 0.1
	fewLogP        = -1.2
	phantomLogP    = -0.5
	fastest        = 6.0 // words per second
	slowest        = 0.5
	slowestOver    = 3.0 // s of speech before too few words are suspicious
	zlibBar        = 2.4 // compression ratio of looping text
	zlibFromLength = 200 // bytes; shorter text compresses badly anyway
)

// evidence is what the guards know about one attempt.
type evidence struct {
	words    []rawWord
	noSpeech float64
	logp     float64
	ended    bool
	speech   float64  // s of detected speech in the chunk
	loudOnly bool     // the detector hears none; only loudness asked for this chunk
	shown    []string // the words that the model was shown, without case and punctuation
}

// overNoise says that the text stands over non-speech and must be struck.
func (e evidence) overNoise() bool {
	if e.loudOnly {
		return e.noSpeech > loudNoSpeech || e.logp < loudLogP
	}
	few := len(e.words) <= fewWords && e.noSpeech > fewNoSpeech && e.logp < fewLogP
	return few || e.noSpeech > noSpeechBar && e.logp < noSpeechLogP
}

// trouble names what calls for another attempt, or "".
func (e evidence) trouble() string {
	n := float64(len(e.words))
	_, _, looped := findLoop(normals(e.words))
	switch {
	case looped || tooRegular(e.words):
		return ReasonLoop
	case slices.Contains(leaked(normals(e.words), e.shown), true):
		return ReasonPrompt
	case !e.ended:
		return ReasonCut
	case e.speech > 1 && n/e.speech > fastest:
		return ReasonTooFast
	case e.speech >= slowestOver && n/e.speech < slowest:
		return ReasonTooFew
	default:
		return ""
	}
}

// longestQuote is how many words in a row a dictation may share with what the model was shown. More is no chance: the model
// recites.
const longestQuote = 7

// leaked marks the words that recite what the model was shown.
func leaked(words, shown []string) []bool {
	out := make([]bool, len(words))
	for i := range words {
		for j := range shown {
			n := 0
			for i+n < len(words) && j+n < len(shown) && words[i+n] == shown[j+n] {
				n++
			}
			if n > longestQuote {
				for k := i; k < i+n; k++ {
					out[k] = true
				}
			}
		}
	}
	return out
}

func normals(words []rawWord) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = normal(w.text)
	}
	return out
}

// repeatsFor is how often in a row a group of n words must stand to be a loop. A physician says "six, six, six"; nobody says
// the same four words three times without a pause.
func repeatsFor(n int) int {
	switch {
	case n == 1:
		return 6
	case n <= 3:
		return 4
	default:
		return 3
	}
}

const longestLoop = 12 // words

// findLoop returns the first stretch of repeated words beyond the first saying: words[from:to] can go.
func findLoop(words []string) (from, to int, ok bool) {
	for at := range words {
		for n := 1; n <= longestLoop && at+n*repeatsFor(n) <= len(words); n++ {
			end := at + n
			for end < len(words) && words[end] == words[end-n] {
				end++
			}
			if (end-at)/n >= repeatsFor(n) && strings.Join(words[at:at+n], "") != "" {
				return at + n, end, true
			}
		}
	}
	return 0, 0, false
}

// tooRegular sees loops with small changes in each turn by how well the text compresses.
func tooRegular(words []rawWord) bool {
	var text bytes.Buffer
	for _, w := range words {
		text.WriteString(w.text)
		text.WriteByte(' ')
	}
	if text.Len() < zlibFromLength {
		return false
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err1 := z.Write(text.Bytes())
	err2 := z.Close()
	return err1 == nil && err2 == nil && float64(text.Len())/float64(packed.Len()) > zlibBar
}

// phantoms are phrases that Whisper is known to write over silence and noise. Compared without case and punctuation.
var phantoms = map[string]bool{
	"you": true, "thank you": true, "thanks": true, "bye": true, "bye bye": true, "okay": true, "so": true, "oh": true,
	"thank you very much": true, "thank you for watching": true, "thanks for watching": true, "the end": true,
	"thank you so much for watching": true, "please subscribe": true, "please subscribe to my channel": true,
	"like and subscribe": true, "dont forget to subscribe": true, "see you next time": true, "ill see you next time": true,
	"see you in the next video": true, "ill see you in the next video": true, "well be right back": true,
	"subtitles by the amaraorg community": true, "transcription by castingwords": true, "silence": true, "music": true,
	"applause": true, "blank audio": true, "i dont know": true, "hmm": true, "mm": true, "uh": true,
}

// isPhantom says that a sentence is on the list and has little to stand on: doubtful words, or hardly any speech under it.
func isPhantom(sentence []rawWord, speechUnder float64) bool {
	var parts []string
	var logp float64
	for _, w := range sentence {
		if n := normal(w.text); n != "" {
			parts = append(parts, n)
		}
		logp += w.logp
	}
	if !phantoms[strings.Join(parts, " ")] {
		return false
	}
	return logp/float64(len(sentence)) < phantomLogP || speechUnder < 0.1
}

// soundNotes marks words that are notes about sounds, as "[BLANK_AUDIO]", "(coughing)" or "♪ la la ♪", not speech. A
// bracket that does not close within a few words is left alone: it may have been dictated.
func soundNotes(words []rawWord) []bool {
	out := make([]bool, len(words))
	for i := range words {
		text := bare(words[i].text)
		if roundSounds[strings.ToLower(text)] || strings.HasPrefix(text, "♪") {
			out[i] = true
		}
		for open, end := range map[string]string{"[": "]", "*": "*", "♪": "♪"} {
			if strings.HasPrefix(text, open) {
				markUntil(words, out, i, end)
			}
		}
	}
	return out
}

const longestNote = 6 // words

func markUntil(words []rawWord, out []bool, from int, end string) {
	for j := from; j < min(len(words), from+longestNote); j++ {
		text := bare(words[j].text)
		if j == from {
			text = strings.TrimPrefix(text, end)
		}
		if strings.HasSuffix(text, end) && text != "" {
			for k := from; k <= j; k++ {
				out[k] = true
			}
			return
		}
	}
}

func bare(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(".,;:!?", r) })
}

var roundSounds = map[string]bool{
	"(coughing)": true, "(coughs)": true, "(sighs)": true, "(sigh)": true, "(silence)": true, "(laughs)": true,
	"(laughing)": true, "(music)": true, "(clicking)": true, "(typing)": true, "(inaudible)": true, "(static)": true,
	"(beep)": true, "(beeping)": true, "(sniffing)": true, "(breathing)": true, "(wind)": true, "(applause)": true,
}
