package lexicon

import (
	"embed"
	"sync"
)

//go:embed data/*.tsv data/english/core.txt data/english/spoken.txt data/english/scowl*.txt
var files embed.FS

// embedded reads the files of data/ once. They are part of the program, so a fault in one is a fault of the build; a
// test reads them all.
var embedded = sync.OnceValue(func() []List {
	entries, err := files.ReadDir("data")
	if err != nil {
		panic(err)
	}
	var lists []List
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		f, err := files.Open("data/" + e.Name())
		if err != nil {
			panic(err)
		}
		l, err := Read(f, e.Name())
		if err != nil {
			panic(err)
		}
		lists = append(lists, l)
	}
	return lists
})

func embeddedTerms() []Term {
	var terms []Term
	for _, l := range embedded() {
		terms = append(terms, l.Terms...)
	}
	return terms
}

// Sources lists the files of the lexicon that comes with Vesper, with source and licence, the lists of plain English,
// and those of strengths and of confused drugs.
func Sources() []Source {
	var out []Source
	for _, l := range embedded() {
		out = append(out, l.Source)
	}
	return append(append(out, englishSources()...), safetySources()...)
}
