package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/postgres"
)

// practiceURL is a database with one practice, whose administrator is called sam, as the web server's login.
func practiceURL(t *testing.T, practice string) string {
	t.Helper()
	name := func(admin string) string {
		u, err := url.Parse(admin)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(u.Path, "/")
	}
	admin := testkit.PostgresFrom(t, "vesper-terms", func(ctx context.Context, admin string) error {
		if err := postgres.Provision(ctx, admin, name(admin), "serve-password", "work-password"); err != nil {
			return err
		}
		return postgres.Migrate(ctx, admin, slog.New(slog.DiscardHandler))
	})
	logins, err := postgres.LoginURLs(admin, name(admin), "serve-password", "work-password")
	if err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(t.Context(), logins.Serve, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := foundPractice(t.Context(), store, practice, "sam", "Sam Petrov", "lantern-orchard-42"); err != nil {
		t.Fatal(err)
	}
	return logins.Serve
}

func TestWordsOfAPracticeAreAddedListedAndRemovedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	rt := &runtime{ctx: t.Context(), out: &out, log: slog.New(slog.DiscardHandler)}
	flags := termListFlags{databaseFlags: databaseFlags{practiceURL(t, "Larkspur")}, vocabularyFolder: vocabularyFolder{Data: t.TempDir()}, Practice: "Larkspur"}
	wants := func(err error, code string) {
		t.Helper()
		if err == nil || fault.As(err).Code != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok((&vocabularyAddCmd{termListFlags: flags, Kind: "brand", Says: []string{"zan ter pell"}, Term: []string{"Zanterpel"}}).Run(rt))
	ok((&vocabularyAddCmd{termListFlags: flags, Kind: "exam", Term: []string{"Bluebell sign", "Harebell sign"}}).Run(rt))
	wants((&vocabularyAddCmd{termListFlags: flags, Kind: "brand", Term: []string{"zanterpel"}}).Run(rt), "term_exists")
	wants((&vocabularyAddCmd{termListFlags: flags, Kind: "potion", Term: []string{"Larkspurine"}}).Run(rt), "term_kind")
	wants((&vocabularyAddCmd{termListFlags: flags, Kind: "exam", Says: []string{"x"}, Term: []string{"a", "b"}}).Run(rt), "term_says")
	ok((&vocabularyRemoveCmd{termListFlags: flags, Term: []string{"harebell  SIGN"}}).Run(rt))
	wants((&vocabularyRemoveCmd{termListFlags: flags, Term: []string{"Harebell sign"}}).Run(rt), "term_unknown")
	out.Reset()
	ok((&vocabularyListCmd{flags}).Run(rt))
	for _, want := range []string{"Zanterpel", "zan ter pell", "Bluebell sign", "operator", "practice"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "Harebell") {
		t.Error("a removed word is listed")
	}
	flags.Author = "nobody"
	wants((&vocabularyListCmd{flags}).Run(rt), "author_unknown")
	flags.Author = "sam" // an administrator has no words of his own
	wants((&vocabularyAddCmd{termListFlags: flags, Kind: "other", Term: []string{"Larkspurine"}}).Run(rt), "author_not_physician")
	flags.Practice = "Harbor"
	wants((&vocabularyListCmd{flags}).Run(rt), "practice_unknown")
}

func TestTheEngineKnowsImportedLists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := filepath.Join(dir, "ours.tsv")
	if err := os.WriteFile(list, []byte("# source: Fiction Practice\n# licence: our own\n# kind: brand\nZanterpel\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := engineFlags{VocabularyDir: dir}.terms()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Find("zanterpel"); !ok {
		t.Error("the imported word is not known")
	}
	if err := os.WriteFile(list, []byte("Zanterpel\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (engineFlags{VocabularyDir: dir}).terms(); err == nil || !strings.Contains(fault.As(err).Public, "ours.tsv") {
		t.Errorf("a damaged list: %v", err)
	}
}
