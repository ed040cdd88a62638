package pipeline_test

import (
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/testkit"
)

func TestRecordingsAreHeardInTheLanguageOfTheirAuthorOrPractice(t *testing.T) {
	t.Parallel()
	w := setup(t)
	spoken := func() string {
		t.Helper()
		return string(w.jobs(w.submit())[0].Settings)
	}
	set := func(as string, language string) {
		t.Helper()
		if err := w.svc.SetLanguage(t.Context(), w.as(as), language); err != nil {
			t.Fatal(err)
		}
	}
	if got := spoken(); strings.Contains(got, "language") {
		t.Errorf("nothing is set: %s", got)
	}
	set("supervisor", "fr")
	if got := spoken(); !strings.Contains(got, `"language": "fr"`) && !strings.Contains(got, `"language":"fr"`) {
		t.Errorf("the practice speaks French: %s", got)
	}
	set("physician", "es")
	if got := spoken(); !strings.Contains(got, `"es"`) {
		t.Errorf("the author speaks Spanish: %s", got)
	}
	set("physician", "")
	if got := spoken(); !strings.Contains(got, `"fr"`) {
		t.Errorf("the author goes with the practice again: %s", got)
	}
	if got, err := w.svc.Language(t.Context(), w.as("supervisor")); err != nil || got != "fr" {
		t.Errorf("the practice's is %q, %v", got, err)
	}
	if f := fault.As(w.svc.SetLanguage(t.Context(), w.as("physician"), "Klingon")); f == nil || f.Code != "language_unknown" {
		t.Errorf("no code: %v", f)
	}
	if err := w.svc.SetLanguage(t.Context(), w.as("editor"), "fr"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an editor set it: %v", err)
	}
	if n := testkit.Column[int](t, w.admin, `SELECT count(*)::int FROM audit_events WHERE detail->>'change' = 'language'`); n[0] != 3 {
		t.Errorf("%d events", n[0])
	}
}
