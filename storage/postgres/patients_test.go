package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"vesper/internal/testkit"
	"vesper/pipeline"
)

// names are those that a search finds, in its order.
func (w *world) names(search string, limit int) (out []string) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		out = nil
		found, err := tx.Patients(ctx, search, limit)
		for _, p := range found {
			out = append(out, p.Name)
		}
		return err
	})
	return out
}

func TestASearchShowsFirstWhoseNameBeginsWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		for i, name := range []string{"Zanders, Ann-Mo", "Anders, Zo", "Zo, Ann", "O'Zoe, Mo", "Annex, Mo"} {
			if err := tx.InsertPatient(ctx, pipeline.Patient{MRN: fmt.Sprintf("Q-00%d", i), Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	for search, want := range map[string][]string{
		"ann":    {"Annex, Mo", "Zanders, Ann-Mo", "Zo, Ann"},
		"zo ann": {"Zo, Ann"},
		"an zo":  {"Anders, Zo", "Zo, Ann"},
		"mo an":  {"Annex, Mo", "Zanders, Ann-Mo"}, // a word begins after a mark as well
		"zo mo":  {"O'Zoe, Mo"},
		"00 mo":  {"Annex, Mo", "O'Zoe, Mo", "Zanders, Ann-Mo"},
		"q-003":  {"O'Zoe, Mo"},
		"ex mo":  nil,
	} {
		same(t, search, w.names(search, 10), want)
	}
	for _, odd := range []string{`( mo`, `[ mo`, `\\ mo`, `*a mo`, `mo +?`, `%_ mo`, `_ %`, `é ß`, `{ }`, `'; mo`, `mo $1`} {
		if found := w.names(odd, 10); len(found) != 0 {
			t.Errorf("%q finds %v", odd, found)
		}
	}
	same(t, "as many words as a search may have", w.names(strings.Repeat("a ", 49)+"mo", 10), []string{"Annex, Mo", "Zanders, Ann-Mo"})
	same(t, "limit", w.names("ann", 2), []string{"Annex, Mo", "Zanders, Ann-Mo"})
}

// Who searches for what thousands have gets a full page at once, and those who match best on it.
func TestASearchForWhatThousandsHaveIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	testkit.Exec(t, w.logins.Owner, fmt.Sprintf(`
		SELECT set_config('vesper.practice_id', '%[1]s', false);
		INSERT INTO patients (id, practice_id, mrn, name, sex, ehr_ref)
		SELECT gen_random_uuid(), '%[1]s', 'B-' || i, 'Doe' || lpad(i::text, 5, '0') || ', Mina', 'female', '' FROM generate_series(1, 3000) i`, w.practice))
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{MRN: "C-1", Name: "Minaret, Lou"})
	})
	found := w.names("mina", 20)
	if len(found) != 20 || found[0] != "Minaret, Lou" {
		t.Errorf("found %v", found)
	}
	same(t, "narrowed", w.names("mina doe02999", 20), []string{"Doe02999, Mina"})
	same(t, "in order", w.names("doe mi", 2), []string{"Doe00001, Mina", "Doe00002, Mina"})
}
