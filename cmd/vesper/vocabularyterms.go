package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

// termListFlags name a list of added words: a practice's or an author's.
type termListFlags struct {
	databaseFlags
	vocabularyFolder
	Practice string `help:"Name of the practice." placeholder:"NAME"`
	Author   string `help:"Login of a physician: the list of this author instead of the practice's." placeholder:"LOGIN"`
}

// termList is an open list. Its actor is Vesper: who may open the database is the operator.
type termList struct {
	svc    *pipeline.Service
	actor  access.Actor
	author *uuid.UUID
	close  func()
}

// open connects to the database and finds practice and author.
func (f termListFlags) open(rt *runtime) (*termList, error) {
	if f.Practice == "" {
		return nil, fault.New(fault.Invalid, "practice_missing", "Name the practice with --practice.")
	}
	url := f.DatabaseURL
	if url == "" {
		db, _, err := attach(f.Data)
		if err != nil {
			return nil, err
		}
		url = db.DatabaseURL
	}
	store, err := postgres.Open(rt.ctx, url, rt.log)
	if err != nil {
		return nil, err
	}
	l := &termList{svc: &pipeline.Service{Config: pipeline.Config{Store: store, Log: rt.log}}, close: store.Close}
	if err := l.find(rt, store, f); err != nil {
		store.Close()
		return nil, err
	}
	return l, nil
}

func (l *termList) find(rt *runtime, store *postgres.Store, f termListFlags) error {
	practices, err := store.Practices(rt.ctx)
	if err != nil {
		return err
	}
	practice, ok := practices[f.Practice]
	if !ok {
		return fault.New(fault.NotFound, "practice_unknown", "There is no practice of this name. Create it with vesper practice.")
	}
	l.actor = access.SystemActor(practice)
	if f.Author == "" {
		return nil
	}
	p, _, err := store.FindLogin(rt.ctx, f.Author)
	if fault.KindOf(err) == fault.NotFound || err == nil && p.PracticeID != practice {
		return fault.New(fault.NotFound, "author_unknown", "Nobody in this practice has this login.")
	}
	l.author = &p.ID
	return err
}

type vocabularyAddCmd struct {
	termListFlags
	Kind string   `help:"What the words are: generic, brand, disease, procedure, other …" default:"other" placeholder:"KIND"`
	Says []string `help:"How the word is said, where that differs from its spelling; for one word at a time." placeholder:"FORM"`
	Term []string `arg:"" help:"Words or names as a note has them."`
}

// Run adds each word; one that is in the list already is an error, and those before it stay added.
func (c *vocabularyAddCmd) Run(rt *runtime) error {
	if len(c.Says) > 0 && len(c.Term) != 1 {
		return fault.New(fault.Invalid, "term_says", "Give one word with --says, so that it is clear which is said so.")
	}
	l, err := c.open(rt)
	if err != nil {
		return err
	}
	defer l.close()
	for _, text := range c.Term {
		v, err := l.svc.AddTerm(rt.ctx, l.actor, pipeline.VocabularyTerm{AuthorID: l.author, Text: text, Kind: lexicon.Kind(c.Kind), Says: c.Says})
		if err != nil {
			return err
		}
		fmt.Fprintf(rt.out, "added %s (%s)\n", v.Text, v.Kind)
	}
	return nil
}

type vocabularyRemoveCmd struct {
	termListFlags
	Term []string `arg:"" help:"Words to take out of the list, in any case."`
}

// Run removes each word; nothing is deleted, the row stays as history.
func (c *vocabularyRemoveCmd) Run(rt *runtime) error {
	l, err := c.open(rt)
	if err != nil {
		return err
	}
	defer l.close()
	have, err := l.svc.Terms(rt.ctx, l.actor, l.author)
	if err != nil {
		return err
	}
	for _, text := range c.Term {
		found := false
		for _, v := range have {
			if (v.AuthorID == nil) == (l.author == nil) && strings.EqualFold(v.Text, strings.Join(strings.Fields(text), " ")) {
				if err := l.svc.RemoveTerm(rt.ctx, l.actor, v.ID); err != nil {
					return err
				}
				found = true
			}
		}
		if !found {
			return fault.New(fault.NotFound, "term_unknown", fmt.Sprintf("%q is not in this list. See it with vesper vocabulary list.", text))
		}
		fmt.Fprintf(rt.out, "removed %s\n", text)
	}
	return nil
}

// show prints the words of a list, and the practice's below an author's.
func (l *termList) show(rt *runtime) error {
	terms, err := l.svc.Terms(rt.ctx, l.actor, l.author)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nWORD\tKIND\tSAID\tLIST\tADDED\tBY")
	for _, v := range terms {
		list, by := "practice", v.AddedByName
		if v.AuthorID != nil {
			list = "author"
		}
		if v.AddedBy == nil {
			by = "operator"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.Text, v.Kind, strings.Join(v.Says, ", "), list, v.AddedAt.Local().Format("2 Jan 2006"), by)
	}
	return w.Flush()
}
