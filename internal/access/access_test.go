package access_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	practice = uuid.MustParse("11111111-1111-7111-8111-111111111111")
	me       = uuid.MustParse("22222222-2222-7222-8222-222222222222")
	somebody = uuid.MustParse("33333333-3333-7333-8333-333333333333")
	states   = []string{"", "received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "signed", "delivered", "rejected", "failed"}
	roles    = append(access.Roles(), access.System)
)

// relation is how the actor stands to a dictation.
type relation struct {
	name            string
	author, claimed uuid.UUID
}

var relations = []relation{
	{"own, unclaimed", me, uuid.Nil},
	{"own, claimed by another", me, somebody},
	{"another's, unclaimed", somebody, uuid.Nil},
	{"another's, claimed by me", somebody, me},
	{"another's, claimed by another", somebody, somebody},
	{"the practice's", uuid.Nil, uuid.Nil},
}

// matrix prints who may do what, one line for each role and action: the states in which each relation allows it.
func matrix() string {
	var b strings.Builder
	for _, role := range roles {
		for _, action := range access.Actions() {
			fmt.Fprintf(&b, "%s %s\n", role, action)
			for _, r := range relations {
				var in []string
				for _, s := range states {
					if access.Decide(access.Actor{ID: me, PracticeID: practice, Role: role}, action, access.Resource{PracticeID: practice, AuthorID: r.author, ClaimedBy: r.claimed, State: s}) == nil {
						in = append(in, map[bool]string{true: "none", false: s}[s == ""])
					}
				}
				switch len(in) {
				case 0:
					in = []string{"never"}
				case len(states):
					in = []string{"always"}
				}
				fmt.Fprintf(&b, "    %-30s %s\n", r.name, strings.Join(in, ", "))
			}
		}
	}
	return b.String()
}

func TestThePolicyIsTheOneThatWasAgreed(t *testing.T) {
	t.Parallel()
	const golden = "testdata/matrix.txt"
	got := matrix()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the policy differs from %s; if that is wanted, run the test with -update and have the difference agreed", golden)
	}
}

func TestWhatMustNeverBeAllowedIsNot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := []uuid.UUID{me, somebody, uuid.Nil}
		a := access.Actor{ID: me, PracticeID: practice, Role: rapid.SampledFrom(append(roles, "", "root")).Draw(t, "role")}
		r := access.Resource{
			PracticeID: rapid.SampledFrom([]uuid.UUID{practice, somebody, uuid.Nil}).Draw(t, "practice"), AuthorID: rapid.SampledFrom(ids).Draw(t, "author"),
			ClaimedBy: rapid.SampledFrom(ids).Draw(t, "holder"), State: rapid.SampledFrom(states).Draw(t, "state"),
		}
		action := rapid.SampledFrom(append(access.Actions(), "", "note.delete")).Draw(t, "action")
		err := access.Decide(a, action, r)
		if r.PracticeID != practice {
			if fault.KindOf(err) != fault.NotFound {
				t.Fatalf("another practice: %v", err)
			}
			return
		}
		if err != nil {
			if fault.KindOf(err) != fault.Forbidden {
				t.Fatalf("refused as %v", err)
			}
			return
		}
		switch {
		case !slices.Contains(roles, a.Role):
			t.Fatalf("the unknown role %q may %s", a.Role, action)
		case !slices.Contains(access.Actions(), action):
			t.Fatalf("%s may do the unknown %q", a.Role, action)
		case action == access.Sign && (a.Role != access.Physician || r.AuthorID != me):
			t.Fatalf("%s signs a note of %s", a.Role, r.AuthorID)
		case action == access.Edit && r.ClaimedBy != me && (r.AuthorID != me || r.State != "awaiting_signature"):
			t.Fatalf("%s edits without a claim in %s", a.Role, r.State)
		case (action == access.View || action == access.Listen || action == access.History || action == access.Download) && a.Role == access.Admin:
			t.Fatal("an administrator sees patient data")
		case a.Role == access.Physician && r.AuthorID != me:
			t.Fatalf("a physician may %s another's dictation", action)
		case a.Role == access.Compliance && !slices.Contains([]access.Action{access.List, access.View, access.Listen, access.History, access.Download, access.ReadAudit, access.ReadKeeping, access.ManageHolds}, action):
			t.Fatalf("compliance may %s", action)
		case action == access.Process && a.Role != access.System:
			t.Fatalf("%s does the workers' part", a.Role)
		}
	})
}

func TestAnActorWithoutAPracticeFindsNothing(t *testing.T) {
	t.Parallel()
	for _, action := range access.Actions() {
		if err := access.Decide(access.Actor{Role: access.System}, action, access.Resource{}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", action, err)
		}
	}
}

func TestEveryActionIsListedOnceAndSomebodyMayDoIt(t *testing.T) {
	t.Parallel()
	seen := map[access.Action]bool{}
	for _, action := range access.Actions() {
		if seen[action] {
			t.Errorf("%s is listed twice", action)
		}
		seen[action] = true
		may := false
		for _, role := range roles {
			for _, r := range relations {
				for _, s := range states {
					may = may || access.Decide(access.Actor{ID: me, PracticeID: practice, Role: role}, action, access.Resource{PracticeID: practice, AuthorID: r.author, ClaimedBy: r.claimed, State: s}) == nil
				}
			}
		}
		if !may {
			t.Errorf("nobody may ever %s", action)
		}
	}
}
