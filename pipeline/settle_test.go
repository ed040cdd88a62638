package pipeline_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// operates settles a finding as whoever runs the installation does.
func (w *world) operates(login string, id uuid.UUID, note string) error {
	return pipeline.SettleAsOperator(context.Background(), w.work, login, id, note)
}

func TestWhatConcernsTheWholeInstallationIsNotOnePracticesToSettle(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	harm := w.harm()
	harm.Plant("loose", []byte("x"))
	harm.Plant("another", []byte("x"))
	own := w.audio(w.drafted(), pipeline.Original)
	harm.Cover(own.Key)
	w.check(keeping.Quick)
	kept, err := w.svc.Kept(ctx, w.as("admin"))
	w.must(err)
	ids := map[string]uuid.UUID{}
	for _, f := range kept.Findings {
		ids[f.Key] = f.ID
	}
	if len(ids) != 3 || kept.Shared {
		t.Fatalf("%+v", kept)
	}
	for _, who := range []string{"physician", "editor", "supervisor", "compliance"} {
		for _, id := range ids {
			wantFault(t, w.svc.SettleFinding(ctx, w.as(who), id, "Known."), fault.Forbidden, "forbidden")
		}
		wantFault(t, w.operates(w.people[who].Login, ids["loose"], "Known."), fault.Invalid, "admin_unknown")
	}
	w.must(w.svc.SettleFinding(ctx, w.as("admin"), ids["another"], "Ours alone."))

	elsewhere, err := w.serve.CreatePractice(ctx, "Harbor Clinic")
	w.must(err)
	other := pipeline.Person{ID: newID(), PracticeID: elsewhere, Role: string(access.Admin), Login: "harbor-admin", Name: "Pat Harbor"}
	hash, err := passwordHash()
	w.must(err)
	w.must(w.serve.InTx(ctx, elsewhere, func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, other, hash) }))
	for _, admin := range []access.Actor{w.as("admin"), other.Actor()} {
		kept, err = w.svc.Kept(ctx, admin)
		w.must(err)
		if !kept.Shared || !slices.ContainsFunc(kept.Findings, func(f keeping.Finding) bool { return f.ID == ids["loose"] }) {
			t.Errorf("%s does not see it: %+v", admin.Name, kept)
		}
		wantFault(t, w.svc.SettleFinding(ctx, admin, ids["loose"], "Known."), fault.Forbidden, "finding_of_all")
	}
	wantFault(t, w.svc.SettleFinding(ctx, other.Actor(), ids[own.Key], "Known."), fault.NotFound, "not_found")
	wantFault(t, w.operates(other.Login, ids[own.Key], "Known."), fault.NotFound, "not_found")
	wantFault(t, w.operates("nobody", ids["loose"], "Known."), fault.Invalid, "admin_unknown")
	wantFault(t, w.operates(other.Login, ids["loose"], " "), fault.Invalid, "reason_missing")
	w.must(w.svc.SettleFinding(ctx, w.as("admin"), ids[own.Key], "Known."))
	w.must(w.operates(w.people["admin"].Login, ids["loose"], "An old export."))
	events := w.events(ids["loose"])
	if last := events[len(events)-1]; last.Outcome != "done" || last.Detail["through"] != "operator" || last.ActorID != w.people["admin"].ID {
		t.Errorf("the record says %+v", last)
	}
}
