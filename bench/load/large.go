package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"vesper/internal/client"
)

// pageLimit is what 95 of 100 requests for a page of the large database must keep.
const pageLimit = 50 * time.Millisecond

// runLarge fills the database with notes and asks for pages: lists, the queue, searches, histories. It reports their times, and
// fails when they are slow or when one of the plans that PostgreSQL chose walks through a whole table.
func runLarge(ctx context.Context, o options, r *report) error {
	say("large: %d notes", o.notes)
	s, err := raise(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.fillLarge(ctx, o); err != nil {
		return err
	}
	size, err := s.psql(ctx, `SELECT pg_size_pretty(pg_database_size(current_database()))`)
	if err != nil {
		return err
	}
	pages, err := s.pages(ctx, o)
	if err != nil {
		return err
	}
	t := tableOf("page", "n", "p50", "p95", "p99", "max")
	var slow []string
	for _, p := range pages {
		took, err := p.times(ctx, o.requests)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		t.spread(p.name, took)
		if rank(took, 95) > pageLimit {
			slow = append(slow, p.name)
		}
	}
	plans, err := s.plans(ctx, pages)
	if err != nil {
		return err
	}
	verdict := fmt.Sprintf("All %d plans that PostgreSQL made for them go by index.", plans.seen)
	if len(plans.walks) > 0 {
		verdict = "Plans that walk through a whole table: " + strings.Join(plans.walks, ", ") + "."
	}
	r.section("Millions of notes", fmt.Sprintf("A practice with %d notes of %d patients in one database (%s). Whole requests of a signed-in person "+
		"over HTTP, with the event of each look written. %s", o.notes, patientsOf(o.notes), size, verdict), t)
	switch {
	case len(plans.walks) > 0:
		return fmt.Errorf("plans walk through whole tables: %s", strings.Join(plans.walks, ", "))
	case len(slow) > 0:
		return fmt.Errorf("95 of 100 requests must stay below %s: %s", pageLimit, strings.Join(slow, ", "))
	}
	return nil
}

// fillLarge makes the notes, unless the folder holds them already.
func (s *stand) fillLarge(ctx context.Context, o options) error {
	filled, err := s.psql(ctx, `SELECT to_regclass('load_filled') IS NOT NULL`)
	if err != nil || filled == "t" {
		return err
	}
	began := time.Now()
	if _, err := s.psql(ctx, fillSQL, "notes="+fmt.Sprint(o.notes), "practice="+s.practice.String()); err != nil {
		return err
	}
	say("large: filled in %s", time.Since(began).Round(time.Second))
	return nil
}

// patientsOf is how many patients large.sql makes for so many notes.
func patientsOf(notes int) int { return max(1000, notes/5) }

// firsts are beginnings of first names in large.sql.
var firsts = []string{"an", "be", "co", "di", "ha", "ju", "mi", "oo"}

// asked is one kind of page.
type asked struct {
	name string
	ask  func(ctx context.Context) error
}

func (p asked) times(ctx context.Context, n int) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		if err := p.ask(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// pages signs people in and makes what they ask for.
func (s *stand) pages(ctx context.Context, o options) ([]asked, error) {
	who := map[string]*client.Client{}
	for i, login := range []string{"dr0", "vma0", "boss", "casey"} {
		c, err := s.login(ctx, login, phone(i))
		if err != nil {
			return nil, err
		}
		who[login] = c
	}
	random := rand.New(rand.NewPCG(o.seed, 3))
	page := func(name, login string, path func() string) asked {
		return asked{name, func(ctx context.Context) error { return who[login].Page(ctx, path()) }}
	}
	list := func(name, login, path string) asked { return page(name, login, func() string { return path }) }
	search := func(name string, words func() string) asked {
		return asked{"search: " + name, func(ctx context.Context) error {
			return who["vma0"].Do(ctx, http.MethodPost, "/api/v1/patients/search", map[string]string{"search": words()}, nil)
		}}
	}
	history := func(newest int) func() string {
		return func() string { return "/history/" + dictationID(o.notes-random.IntN(min(newest, o.notes))) }
	}
	return []asked{
		list("an editor's queue", "vma0", "/queue"),
		list("a physician's own list", "dr0", "/dictations"),
		list("a physician's notes to sign", "dr0", "/sign"),
		list("the newest of the practice", "boss", "/dictations"),
		list("the failed of the practice", "boss", "/dictations?state=failed"),
		list("the delivered of the practice", "boss", "/dictations?state=delivered"),
		list("the rejected of the practice", "boss", "/dictations?state=rejected"),
		list("what needs attention", "boss", "/operations"),
		page("the history of a recent note", "casey", history(min(100_000, o.notes/10))),
		page("the history of any note", "casey", history(o.notes)),
		list("the audit log", "casey", "/audit"),
		search("a record number", func() string { return fmt.Sprintf("L-%08d", 1+random.IntN(patientsOf(o.notes))) }),
		search("the end of a record number", func() string { return fmt.Sprintf("%05d", random.IntN(100_000)) }),
		search("a common first name", func() string { return "mina" }),
		search("a common last name", func() string { return "smith" }),
		search("a common last name and the first letters of another", func() string { return "smith " + firsts[random.IntN(len(firsts))] }),
		search("the first letters of two names", func() string {
			return string([]byte{'a' + byte(random.IntN(26)), ' ', "abcdefghijklmnop"[random.IntN(16)]}) //nolint:gosec // a letter
		}),
		search("two letters", func() string { return string([]byte{'a' + byte(random.IntN(26)), "aeiou"[random.IntN(5)]}) }), //nolint:gosec // a letter
		search("a name that nobody has", func() string { return "qqqxw" }),
		search("nothing typed yet", func() string { return "" }),
	}, nil
}

// dictationID is the id that large.sql gives to the i-th dictation.
func dictationID(i int) string {
	hex := fmt.Sprintf("0002%012x8000000000000000", i)
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}
