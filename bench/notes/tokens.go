package main

import (
	"regexp"
	"strings"
	"unicode"

	"vesper/bench/corpus"
	"vesper/notes"
)

// token is a word or a mark of a note's text.
type token struct {
	text       string // folded: lower case
	section    string
	mark       bool    // punctuation, a line break or a list's number
	start, end float64 // in the recording; 0 for expected tokens
	speech     bool    // the text comes from speech or a blank, so start and end hold
}

// pieces cuts text into blanks, list marks, words with what stands inside them, breaks and marks.
var pieces = regexp.MustCompile(`\[blank[^\]]*\]|(?m:^(?:\d{1,2}\.|-) )|\n+|[\p{L}\p{N}]+(?:[.,'’/%°+]*[\p{L}\p{N}])*[%°+]*|[^\s]`)

// inner is a hyphen within a word: it counts as a space, so that "x-ray" and "x ray" are the same.
var inner = regexp.MustCompile(`([\p{L}\p{N}])-([\p{L}\p{N}])`)

// cut cuts a section's text; at tells where in the recording a stretch of it was said.
func cut(section, text string, at func(from, to int) (start, end float64, speech bool)) []token {
	var out []token
	text = inner.ReplaceAllString(text, "$1 $2")
	for _, m := range pieces.FindAllStringIndex(text, -1) {
		piece := corpus.Untimed(text[m[0]:m[1]])
		t := token{text: strings.ToLower(piece), section: section}
		first := []rune(piece)[0]
		t.mark = !unicode.IsLetter(first) && !unicode.IsDigit(first) && piece != "[blank]" || strings.HasSuffix(piece, ". ")
		if at != nil {
			t.start, t.end, t.speech = at(m[0], m[1])
		}
		out = append(out, t)
	}
	return out
}

func expectedTokens(n corpus.Note) []token {
	var out []token
	for _, s := range n.Sections {
		out = append(out, cut(s.Key, s.Text, nil)...)
	}
	return out
}

func documentTokens(d notes.Document) []token {
	var out []token
	for _, s := range d.Sections {
		out = append(out, cut(s.Key, s.Text(), locator(s))...)
	}
	return out
}

// locator finds the times of a stretch of a section's text through its runs.
func locator(s notes.Section) func(from, to int) (float64, float64, bool) {
	type place struct {
		from, to int
		source   notes.Source
	}
	var places []place
	at := 0
	for _, r := range s.Runs {
		places = append(places, place{at, at + len(r.Text), r.Source})
		at += len(r.Text)
	}
	return func(from, to int) (start, end float64, speech bool) {
		for _, p := range places {
			if p.to <= from || p.from >= to || (p.source.Kind != notes.FromSpeech && p.source.Kind != notes.FromBlank) {
				continue
			}
			if !speech || p.source.Start < start {
				start = p.source.Start
			}
			end, speech = max(end, p.source.End), true
		}
		return start, end, speech
	}
}
