package transcribe

import (
	"strings"

	"vesper/internal/lexicon"
)

// Some physicians speak their punctuation. In a chunk where that is plain to hear, the spoken commands are terms that the
// second pass may find ("theriod" for "period"), and the model is shown how such a dictation reads.

// commandStyle ends the prompt of the second pass over a dictation with spoken punctuation.
const commandStyle = " He denies fever, comma, cough, comma, or pain, period. New paragraph. Plan, colon, return in one week, period."

// commandTerms are the commands that are worth repairing; the others are rare.
var commandTerms = func() []lexicon.Term {
	var out []lexicon.Term
	for _, c := range []string{"period", "comma", "colon", "semicolon", "new paragraph", "new line", "next line", "full stop", "open paren", "close paren"} {
		out = append(out, lexicon.Term{Text: c, Kind: lexicon.Other, Weight: 1})
	}
	return out
}()

// speaksCommands says that a text holds so many spoken commands, or words that sound like them and are no English, that
// they are no chance.
func speaksCommands(words []said) bool {
	plain, near := 0, 0
	for i, w := range words {
		switch word := strings.ToLower(trimmed(w.text)); {
		case word == "period" || word == "comma" || word == "colon" || word == "semicolon":
			plain++
		case word == "paragraph" && i > 0 && strings.EqualFold(trimmed(words[i-1].text), "new"):
			plain++
		case lexicon.English(word) < plainEnglish:
			for _, command := range []string{"period", "comma", "colon", "paragraph"} {
				if lexicon.Distance(word, command) < soundsLikeCommand {
					near++
					break
				}
			}
		}
	}
	return 2*plain+near >= 4
}

const soundsLikeCommand = 0.34 // distance by sound
