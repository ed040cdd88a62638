package pages

import (
	"net/http"

	"vesper/internal/access"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

type wordsData struct {
	Own      bool // the list that is changed here is the reader's own, not the practice's
	Mine     []pipeline.VocabularyTerm
	Practice []pipeline.VocabularyTerm // shown below the own list, to be read only
	Kinds    []wordKind
	Texts    []pipeline.TextBlock // the reader's own texts, inserted by name
}

// wordKind is a kind of term as people choose it.
type wordKind struct {
	Key  lexicon.Kind
	Name string
}

// wordKinds are those that people add; what is left out comes in lists.
var wordKinds = []wordKind{
	{lexicon.Other, "name, or anything else"},
	{lexicon.Brand, "drug, brand name"},
	{lexicon.Generic, "drug, generic name"},
	{lexicon.Disease, "disease or problem"},
	{lexicon.Procedure, "procedure"},
	{lexicon.Device, "device"},
	{lexicon.Exam, "finding or sign"},
	{lexicon.Lab, "laboratory test"},
	{lexicon.Imaging, "imaging"},
	{lexicon.Anatomy, "anatomy"},
	{lexicon.Organism, "organism"},
}

// kindName says a kind as the page offers it.
func kindName(k lexicon.Kind) string {
	for _, w := range wordKinds {
		if w.Key == k {
			return w.Name
		}
	}
	return string(k)
}

func (s *site) words(r *http.Request, actor access.Actor) (any, string, error) {
	list := pipeline.ListOf(actor)
	found, err := s.Service.Terms(r.Context(), actor, list)
	d := wordsData{Own: list != nil, Kinds: wordKinds}
	for _, v := range found {
		if (v.AuthorID != nil) == d.Own {
			d.Mine = append(d.Mine, v)
		} else {
			d.Practice = append(d.Practice, v)
		}
	}
	if err == nil && d.Own {
		d.Texts, err = s.Service.TextBlocks(r.Context(), actor)
	}
	return d, "Words", err
}
