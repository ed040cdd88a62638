package pipeline

import (
	"slices"

	"vesper/internal/access"
)

// transition is one allowed step and who may take it.
type transition struct {
	from, to State
	roles    []access.Role
}

var (
	bySystem    = []access.Role{access.System}
	byEditors   = []access.Role{access.Editor, access.Supervisor}
	byAuthor    = []access.Role{access.Physician}
	byOperators = []access.Role{access.Supervisor, access.Admin}
	withSystem  = []access.Role{access.System, access.Supervisor, access.Admin}
)

// moves is the one table of transitions. Whether a person may act on this very dictation is access.Decide's question;
// whether the step exists at all is answered here.
var moves = []transition{
	{Received, Queued, bySystem},
	{Queued, Transcribed, withSystem},
	{Transcribed, Drafted, bySystem},
	{Drafted, InReview, byEditors},
	{InReview, Drafted, append([]access.Role{access.System}, byEditors...)}, // released, or the claim ran out
	{InReview, AwaitingSignature, byEditors},
	{AwaitingSignature, Drafted, byAuthor}, // returned to the editors
	{AwaitingSignature, Signed, byAuthor},
	{Signed, Delivered, bySystem},
	// Unusable audio goes back to the author; the workers find it, or a person does.
	{Received, Rejected, bySystem},
	{Queued, Rejected, bySystem},
	{InReview, Rejected, byEditors},
	{Failed, Rejected, byOperators},
	// A stage that cannot go on waits for a person, who orders it again.
	{Received, Failed, bySystem},
	{Queued, Failed, withSystem}, // or it was cancelled
	{Transcribed, Failed, withSystem},
	{Failed, Queued, byOperators},
	{Failed, Transcribed, byOperators},
	{Rejected, Queued, byOperators},
	// A stage is ordered anew from everywhere before the signature.
	{Rejected, Transcribed, byOperators},
	{Transcribed, Queued, byOperators},
	{Drafted, Queued, byOperators},
	{Drafted, Transcribed, byOperators},
	{InReview, Queued, byOperators},
	{InReview, Transcribed, byOperators},
	{AwaitingSignature, Queued, byOperators},
	{AwaitingSignature, Transcribed, byOperators},
}

// CanMove reports whether the step exists for the role.
func CanMove(from, to State, role access.Role) bool {
	return slices.ContainsFunc(moves, func(m transition) bool {
		return m.from == from && m.to == to && slices.Contains(m.roles, role)
	})
}

// Origins returns every state from which the role may move to the given one: the guard of the UPDATE.
func Origins(to State, role access.Role) []State {
	var out []State
	for _, m := range moves {
		if m.to == to && slices.Contains(m.roles, role) {
			out = append(out, m.from)
		}
	}
	return out
}

// Terminal reports whether nothing more happens to a dictation in this state by itself.
func (s State) Terminal() bool { return s == Delivered || s == Rejected }

// States lists every state, in the order of a smooth life.
func States() []State {
	return []State{Received, Queued, Transcribed, Drafted, InReview, AwaitingSignature, Signed, Delivered, Rejected, Failed}
}
