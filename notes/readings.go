package notes

import (
	"strings"

	"vesper/internal/lexicon"
	"vesper/notes/numbers"
	"vesper/notes/style"
	"vesper/transcribe"
)

// apart leaves out the doubts whose two readings mean the same: "mm" and "millimeters", "II" and "2"; and those in which a
// term that stands by itself is weighed against a row of words that only has its sound.
func apart(doubts []transcribe.Doubt) []transcribe.Doubt {
	var out []transcribe.Doubt
	for _, d := range doubts {
		if meaning(d.Heard) == meaning(d.Other) || soundOfTerm(d) || plainly(d) && idle[strings.ToLower(strings.Trim(d.Heard, closingMarks))] {
			continue
		}
		out = append(out, d)
	}
	return out
}

// homophone is the distance by sound up to which a plain word and a figure are told apart by sense only: "for" and "4".
const homophone = 0.12

// idle are words of commands and of grammar that were preferred to a figure: nobody needs to listen to them.
var idle = wordSet("number period comma colon new next line paragraph for to your the and of")

// plainly says that a plain word without any risk was heard, and preferred, where a figure, a negation or a side only sounds
// somewhat like it: "weight" or "eight". The other way round it is a doubt.
func plainly(d transcribe.Doubt) bool {
	if d.Margin <= 0 || d.Repaired || d.Kind == transcribe.DoubtDrug || d.Kind == transcribe.DoubtPrefix {
		return false
	}
	words := strings.Fields(strings.ToLower(d.Heard))
	for i, w := range words {
		words[i] = strings.Trim(w, allMarks)
		if fixed := fixedWords(words[i : i+1]); len(fixed) > 0 || strings.Contains(w, "-") || lexicon.English(words[i]) == 0 && !lexicon.Default().Has(words[i]) {
			return false
		}
	}
	return idle[words[0]] || lexicon.Distance(d.Heard, d.Other) > homophone
}

// soundOfTerm says that the other reading only spells out the sound of a term: "methotrexate" or "method tracks 8".
func soundOfTerm(d transcribe.Doubt) bool {
	if d.Kind != transcribe.DoubtNumber || strings.ContainsAny(d.Heard, "0123456789") || len(strings.Fields(d.Other)) < 2 || len(strings.Fields(d.Heard)) != 1 {
		return false
	}
	heard := strings.Trim(d.Heard, allMarks)
	_, term := lexicon.Default().Find(heard)
	return term && lexicon.English(heard) < everydayWord && len(heard) >= 6
}

// sameMeaning are words that mean the same in a note.
var sameMeaning = map[string]string{
	"milligrams": "mg", "milligram": "mg", "micrograms": "mcg", "microgram": "mcg", "grams": "g", "gram": "g", "milliliters": "ml", "milliliter": "ml",
	"liters": "l", "liter": "l", "millimeters": "mm", "millimeter": "mm", "centimeters": "cm", "centimeter": "cm", "percent": "%", "units": "unit",
	"i": "1", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "per": "/", "cc": "ml",
}

// meaning writes a reading with figures and short units, without marks, case and spaces.
func meaning(text string) string {
	var words []numbers.Word
	for _, w := range strings.Fields(strings.ReplaceAll(text, "/", " / ")) {
		words = append(words, numbers.Word{Text: strings.Trim(w, allMarks)})
	}
	edits := numbers.Rewrite(words, style.Style{})
	var b strings.Builder
	next := 0
	for _, e := range edits {
		if e.Doubt != "" {
			continue
		}
		for ; next < e.From; next++ {
			b.WriteString(words[next].Text + " ")
		}
		b.WriteString(e.Text + " ")
		next = e.To
	}
	for ; next < len(words); next++ {
		b.WriteString(words[next].Text + " ")
	}
	parts := strings.Fields(strings.ToLower(strings.ReplaceAll(b.String(), "/", " / ")))
	for i, p := range parts {
		if same, ok := sameMeaning[p]; ok {
			parts[i] = same
		} else if n, ok := smallNumbers[p]; ok {
			parts[i] = n
		}
	}
	return strings.Join(parts, "")
}

var smallNumbers = map[string]string{
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
	"eleven": "11", "twelve": "12",
}

// unrepaired leaves out the flags for two readings of which the text has the other one by now: the sound of the words and
// the recording agree, and the flag of the repair says it.
func unrepaired(heardTwice, repairs []Flag) []Flag {
	var out []Flag
	for _, h := range heardTwice {
		agreed := false
		for _, r := range repairs {
			agreed = agreed || r.Severity == Notice && r.Start < h.End && r.End > h.Start &&
				strings.Contains(strings.ToLower(h.Detail), "“"+strings.ToLower(r.Text)+"”")
		}
		if !agreed {
			out = append(out, h)
		}
	}
	return out
}
