// Package access says who a person is and what that person may do. One pure function, Decide, answers every question;
// row-level security in PostgreSQL stands behind it. It also hashes and checks passwords.
package access

import (
	"github.com/google/uuid"

	"vesper/internal/fault"
)

// Role is what a person is to the practice. A person has exactly one.
type Role string

// The roles. System is Vesper itself: workers and the supervisor's housekeeping.
const (
	Physician  Role = "physician"
	Editor     Role = "editor" // the virtual medical assistant (VMA)
	Supervisor Role = "supervisor"
	Compliance Role = "compliance"
	Admin      Role = "admin"
	System     Role = "system"
)

// Roles lists the roles a person can have.
func Roles() []Role { return []Role{Physician, Editor, Supervisor, Compliance, Admin} }

// Actor is who acts: a signed-in person, or the system.
type Actor struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	Role       Role
	Name       string // "Ana Rivera"
	Credential string // "MD"; printed beside a signature
	RequestID  string // ties audit events to one request
}

// SystemActor is Vesper acting for a practice.
func SystemActor(practice uuid.UUID) Actor {
	return Actor{PracticeID: practice, Role: System, Name: "Vesper"}
}

// Action is something one may be allowed to do.
type Action string

// The actions. Names are those of the audit log.
const (
	Submit       Action = "dictation.submit"
	List         Action = "dictation.list"   // see that it exists: queue, states, due times
	View         Action = "dictation.view"   // patient data: note, transcript
	Listen       Action = "dictation.listen" // the recording
	Claim        Action = "note.claim"
	Edit         Action = "note.edit"
	Release      Action = "note.release"
	Send         Action = "note.send"   // to the physician
	Return       Action = "note.return" // back to the editors
	Sign         Action = "note.sign"
	Amend        Action = "note.addendum"
	History      Action = "note.history"
	Download     Action = "note.download" // take a version away as a file
	ReadQuality  Action = "quality.read"  // error rates of authors, editors and models
	Retry        Action = "job.retry"
	Cancel       Action = "job.cancel" // stop automatic work
	Rerun        Action = "job.rerun"  // order a stage anew that was done before
	Reject       Action = "dictation.reject"
	ReadAudit    Action = "audit.read"
	ManagePeople Action = "people.manage"
	ReadTerms    Action = "terms.read"   // words that an author or the practice added
	ManageTerms  Action = "terms.manage" // add and remove them
	// ManageCorrections is to see and decide what editors' changes suggest for an author's next drafts.
	ManageCorrections Action = "corrections.manage"
	Operate           Action = "operations.queues" // look at the work queue itself: ids and counts
	// ReadKeeping is to see how recordings are kept: what checks of the object store found, the rules, what was purged.
	ReadKeeping     Action = "keeping.read"
	SettleFinding   Action = "finding.settle"
	ManageRetention Action = "retention.manage"
	ManageHolds     Action = "holds.manage"      // legal holds: see, set and lift them
	Process         Action = "dictation.process" // the workers' stages
	// ReadTurnaround is to see calendar, rules and the times that notes took; ManageTurnaround is to set them, and who is told.
	ReadTurnaround   Action = "turnaround.read"
	ManageTurnaround Action = "turnaround.manage"
)

// Actions lists every action, for tests that walk the whole matrix.
func Actions() []Action {
	return []Action{
		Submit, List, View, Listen, Claim, Edit, Release, Send, Return, Sign, Amend, History, Download, ReadQuality, Retry, Cancel, Rerun, Reject,
		ReadAudit, ManagePeople, ReadTerms, ManageTerms, ManageCorrections, Operate,
		ReadKeeping, SettleFinding, ManageRetention, ManageHolds, ReadTurnaround, ManageTurnaround, Process,
	}
}

// Resource is what an action touches. Zero fields mean "none": a practice-wide resource has only PracticeID.
type Resource struct {
	PracticeID uuid.UUID
	AuthorID   uuid.UUID // the physician who dictated
	ClaimedBy  uuid.UUID // the person who holds the claim now
	State      string    // the dictation's state
}

// rule decides one action for one role within the actor's own practice.
type rule func(Actor, Resource) bool

func always(Actor, Resource) bool      { return true }
func own(a Actor, r Resource) bool     { return r.AuthorID == a.ID }
func claimed(a Actor, r Resource) bool { return r.ClaimedBy == a.ID }

// shared holds for what belongs to the practice as a whole and to no author.
func shared(_ Actor, r Resource) bool { return r.AuthorID == uuid.Nil }

// ownAwaiting lets the author correct the own note while it waits for the signature.
func ownAwaiting(a Actor, r Resource) bool { return own(a, r) && r.State == "awaiting_signature" }

// editorMaySee keeps editors to notes that are in their hands or waiting for them: least privilege.
func editorMaySee(a Actor, r Resource) bool {
	switch r.State {
	case "drafted", "in_review":
		return r.ClaimedBy == uuid.Nil || r.ClaimedBy == a.ID
	default:
		return false
	}
}

// table is the whole policy. What is not listed is refused.
var table = map[Action]map[Role]rule{
	Submit:            {Physician: own, Supervisor: always, Admin: always},
	List:              {Physician: own, Editor: always, Supervisor: always, Compliance: always, Admin: always, System: always},
	View:              {Physician: own, Editor: editorMaySee, Supervisor: always, Compliance: always, System: always},
	Listen:            {Physician: own, Editor: editorMaySee, Supervisor: always, Compliance: always, System: always},
	Claim:             {Editor: always, Supervisor: always},
	Edit:              {Editor: claimed, Supervisor: claimed, Physician: ownAwaiting},
	Release:           {Editor: claimed, Supervisor: always, System: always},
	Send:              {Editor: claimed, Supervisor: claimed},
	Return:            {Physician: own},
	Sign:              {Physician: own},
	Amend:             {Physician: own},
	History:           {Physician: own, Supervisor: always, Compliance: always},
	Download:          {Physician: own, Supervisor: always, Compliance: always},
	ReadQuality:       {Supervisor: always, System: always},
	Retry:             {Supervisor: always, Admin: always},
	Cancel:            {Supervisor: always, Admin: always},
	Rerun:             {Supervisor: always, Admin: always},
	Reject:            {Supervisor: always, Editor: claimed},
	ReadAudit:         {Compliance: always},
	ManagePeople:      {Admin: always},
	ReadTerms:         {Physician: own, Supervisor: shared, Admin: shared, System: always},
	ManageTerms:       {Physician: own, Supervisor: shared, Admin: shared, System: always},
	ManageCorrections: {Supervisor: always},
	Operate:           {Admin: always},
	ReadKeeping:       {Supervisor: always, Compliance: always, Admin: always, System: always},
	SettleFinding:     {Admin: always},
	ManageRetention:   {Supervisor: always, Admin: always},
	ManageHolds:       {Compliance: always},
	Process:           {System: always},
	ReadTurnaround:    {Supervisor: always, System: always},
	ManageTurnaround:  {Supervisor: always},
}

// Decide answers whether the actor may do the action to the resource. nil means yes. A resource of another practice
// is NotFound, so that its existence is not betrayed; everything else that is refused is Forbidden.
func Decide(a Actor, action Action, r Resource) error {
	if a.PracticeID == uuid.Nil || r.PracticeID != a.PracticeID {
		return fault.New(fault.NotFound, "not_found", "There is no such item in your practice.")
	}
	allow := table[action][a.Role]
	if allow == nil || !allow(a, r) {
		return fault.New(fault.Forbidden, "forbidden", "Your role does not allow this. Ask a supervisor or an administrator of your practice.")
	}
	return nil
}
