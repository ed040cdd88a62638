package pipeline_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"vesper/internal/access"
	"vesper/pipeline"
)

// states are all states of a dictation.
var states = []pipeline.State{
	pipeline.Received, pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature,
	pipeline.Signed, pipeline.Delivered, pipeline.Rejected, pipeline.Failed,
}

var everyone = append(access.Roles(), access.System)

func anyoneMoves(from, to pipeline.State) bool {
	return slices.ContainsFunc(everyone, func(r access.Role) bool { return pipeline.CanMove(from, to, r) })
}

func TestOriginsAreExactlyTheStatesOneCanMoveFrom(t *testing.T) {
	t.Parallel()
	for _, role := range everyone {
		for _, to := range states {
			var want []pipeline.State
			for _, from := range states {
				if pipeline.CanMove(from, to, role) {
					want = append(want, from)
				}
			}
			got := slices.Clone(pipeline.Origins(to, role))
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s to %s: origins %v, want %v", role, to, got, want)
			}
		}
	}
}

func TestOnlyTheAuthorsSignatureLeadsToSignedAndNothingLeadsBack(t *testing.T) {
	t.Parallel()
	for _, from := range states {
		for _, to := range states {
			for _, role := range everyone {
				can := pipeline.CanMove(from, to, role)
				switch {
				case can && from == to:
					t.Errorf("%s may move %s to itself", role, from)
				case can && to == pipeline.Signed && (from != pipeline.AwaitingSignature || role != access.Physician):
					t.Errorf("%s may move %s to signed", role, from)
				case can && to == pipeline.Delivered && (from != pipeline.Signed || role != access.System):
					t.Errorf("%s may move %s to delivered", role, from)
				case can && from == pipeline.Delivered, can && from == pipeline.Signed && to != pipeline.Delivered:
					t.Errorf("%s may take back a signed note: %s to %s", role, from, to)
				case can && role == access.Compliance:
					t.Errorf("compliance, who watch, may move %s to %s", from, to)
				}
			}
		}
	}
}

func TestFromEveryStateThereIsAWayToTheEHR(t *testing.T) {
	t.Parallel()
	for _, from := range states {
		reached := []pipeline.State{from}
		for i := 0; i < len(reached); i++ {
			for _, to := range states {
				if anyoneMoves(reached[i], to) && !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
		if !slices.Contains(reached, pipeline.Delivered) {
			t.Errorf("from %s a dictation never gets to the EHR, only to %v", from, reached)
		}
	}
}

func TestARandomLifeNeverReachesTheEHRUnsigned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state, signed := pipeline.Received, false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			to, role := rapid.SampledFrom(states).Draw(t, "to"), rapid.SampledFrom(everyone).Draw(t, "role")
			if !pipeline.CanMove(state, to, role) {
				continue
			}
			if to == pipeline.Signed {
				signed = role == access.Physician
			}
			state = to
			if state == pipeline.Delivered && !signed {
				t.Fatal("delivered without a signature")
			}
			if signed && state != pipeline.Signed && state != pipeline.Delivered {
				t.Fatalf("a signed note became %s", state)
			}
		}
	})
}

func TestUnknownStatesAndRolesMoveNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, to := pipeline.State(rapid.String().Draw(t, "from")), pipeline.State(rapid.String().Draw(t, "to"))
		role := access.Role(rapid.String().Draw(t, "role"))
		known := slices.Contains(states, from) && slices.Contains(states, to) && slices.Contains(everyone, role)
		if pipeline.CanMove(from, to, role) && !known {
			t.Fatalf("%q moves %q to %q", role, from, to)
		}
	})
}
