package checks

import (
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// word is one word of the note.
type word struct {
	text     string // as written, without the marks around it
	key      string // lower case, typographic apostrophes plain
	section  int
	sentence int // counted through the note
	clause   int // counted through the note; marks and "but" part clauses
	from, to int
	after    string // the marks after it
}

// reader is a note with its words.
type reader struct {
	note  Note
	words []word
	drugs map[int]lexicon.Term // the drug's name at a word, looked up once
}

func read(n Note) *reader {
	r := &reader{note: n, drugs: map[int]lexicon.Term{}}
	sentence, clause, begun := 0, 0, 0
	for i, s := range n.Sections {
		sentence, clause = sentence+1, clause+1
		for at := 0; at < len(s.Text); {
			from, to, next := nextWord(s.Text, at)
			if strings.Contains(s.Text[at:from], "\n") {
				sentence, clause = sentence+1, clause+1
			}
			if from == to {
				at = next
				continue
			}
			w := word{text: s.Text[from:to], section: i, from: from, to: to, after: s.Text[to:next]}
			w.key = strings.ReplaceAll(strings.ToLower(w.text), "’", "'")
			if n := len(r.words); n > 0 && r.words[n-1].sentence != sentence {
				begun = n
			} else if n-begun >= longestSentence {
				sentence, clause, begun = sentence+1, clause+1, n
			}
			if w.key == "but" || w.key == "however" {
				clause++
			}
			w.sentence, w.clause = sentence, clause
			r.words = append(r.words, w)
			switch {
			case strings.ContainsAny(w.after, ".?!") && !title[w.key]:
				sentence, clause = sentence+1, clause+1
			case strings.ContainsAny(w.after, ",;:()[]"):
				clause++
			}
			at = next
		}
	}
	for i := range r.words {
		if t, ok := drugNamed(r.words[i].key); ok {
			r.drugs[i] = t
		}
	}
	return r
}

// longestSentence, in words: what goes on longer is looked at in parts.
const longestSentence = 60

// nextWord finds the word after at: from…to is the word, next is where white space or the next word begins.
func nextWord(text string, at int) (from, to, next int) {
	from = at
	for from < len(text) && !inWord(text, from) {
		from++
	}
	end := from
	for end < len(text) && !space(text[end]) {
		end++
	}
	to = from
	for i := from; i < end; i++ {
		if inWord(text, i) || strings.IndexByte("%+", text[i]) >= 0 {
			to = i + 1
		}
	}
	return from, to, max(end, at+1)
}

func inWord(text string, i int) bool {
	c := text[i]
	if c == '.' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' && (i == 0 || space(text[i-1])) {
		return true // ".5"
	}
	return c >= 0x80 && !strings.HasPrefix(text[i:], "“") && !strings.HasPrefix(text[i:], "”") || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c))
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// key is the key of word i, "" beyond the ends.
func (r *reader) key(i int) string {
	if i < 0 || i >= len(r.words) {
		return ""
	}
	return r.words[i].key
}

// in says that words i and j stand in one sentence.
func (r *reader) in(i, j int) bool {
	return i >= 0 && j >= 0 && i < len(r.words) && j < len(r.words) && r.words[i].sentence == r.words[j].sentence
}

// joined says that no mark stands between words i and i+1.
func (r *reader) joined(i int) bool {
	return i >= 0 && i+1 < len(r.words) && r.in(i, i+1) && strings.TrimSpace(r.words[i].after) == ""
}

// sentence is the range of the words of word i's sentence.
func (r *reader) sentence(i int) (from, to int) {
	from, to = i, i+1
	for from > 0 && r.in(from-1, i) {
		from--
	}
	for to < len(r.words) && r.in(to, i) {
		to++
	}
	return from, to
}

// has says that one of the words stands in word i's sentence.
func (r *reader) has(i int, words map[string]bool) bool {
	from, to := r.sentence(i)
	return slices.ContainsFunc(r.words[from:to], func(w word) bool { return words[w.key] })
}

// anywhere says that one of the words stands in the note.
func (r *reader) anywhere(words map[string]bool) bool {
	return slices.ContainsFunc(r.words, func(w word) bool { return words[w.key] })
}

// starts says that the words of a phrase stand from word i on, without the end of a sentence between them.
func (r *reader) starts(i int, phrase ...string) bool {
	for j, p := range phrase {
		if r.key(i+j) != p || !r.in(i, i+j) {
			return false
		}
	}
	return true
}

// sectionOf is the key of the section of word i.
func (r *reader) sectionOf(i int) string { return r.note.Sections[r.words[i].section].Key }

// place is the stretch of the words i up to, not including, j, which stand in one section.
func (r *reader) place(i, j int) Place {
	return Place{Section: r.words[i].section, From: r.words[i].from, To: r.words[j-1].to}
}

// text is the text at a place.
func (r *reader) text(p Place) string { return r.note.Sections[p.Section].Text[p.From:p.To] }

// find makes a finding about the words i up to j.
func (r *reader) find(kind string, critical bool, i, j int, detail string, also ...Place) Finding {
	at := r.place(i, j)
	return Finding{Kind: kind, Critical: critical, At: at, Also: also, Text: r.text(at), Detail: detail}
}

// sure is the engine's confidence in a place.
func (r *reader) sure(p Place) float64 {
	if r.note.Sure == nil {
		return 1
	}
	return r.note.Sure(p.Section, p.From, p.To)
}

// drugNamed looks a word up as the name of a drug.
func drugNamed(key string) (lexicon.Term, bool) {
	if len(key) < 4 || lexicon.English(key) >= plainEnglish {
		return lexicon.Term{}, false
	}
	t, ok := lexicon.Default().Find(key)
	if !ok && len(lexicon.Confused(key)) > 0 {
		return lexicon.Term{Text: key, Kind: lexicon.Generic}, true // rarely used, but known for being confused
	}
	return t, ok && t.Kind.Drug()
}

// plainEnglish is the commonness from which a word is no drug's name by itself.
const plainEnglish = 0.35

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

var title = set("dr mr mrs ms vs prof st")

// relatives are people in a note who are not the patient.
var relatives = set(`mother mother's mom mom's father father's dad dad's wife wife's husband husband's sister sister's brother brother's
	daughter daughter's son son's parent parents parents' grandmother grandfather aunt uncle cousin niece nephew girlfriend boyfriend
	partner partner's spouse spouse's fiance fiancee roommate caregiver nurse friend friend's neighbor family maternal paternal
	sibling siblings twin children grandson granddaughter donor sons daughters brothers sisters wives dr doctor surgeon aide
	teacher coworker`)

// past are words after which something is history and not of today.
var past = set(`status previous previously prior history ago past last former formerly remote childhood 2000 2001 2002 2003 2004 2005
	2006 2007 2008 2009 2010 2011 2012 2013 2014 2015 2016 2017 2018 2019 2020 2021 2022 2023 2024 2025 years yesterday s/p
	had underwent earlier psh pmh`)
