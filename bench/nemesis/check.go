package nemesis

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"vesper/internal/access"
	"vesper/pipeline"
)

// Violation is one promise that was broken.
type Violation struct {
	Kind string // one of Kinds
	What string // which dictation, and what is wrong; ids only
}

// The kinds of violation.
const (
	Lost              = "acknowledged and lost"
	Stuck             = "stuck"
	DuplicateDraft    = "duplicate drafts"
	DuplicateUpload   = "duplicate dictations"
	DuplicateDocument = "duplicate EHR documents"
	Unsigned          = "unsigned deliveries"
	Differs           = "deliveries that differ"
	Forbidden         = "forbidden steps"
	AuditBroken       = "audit log"
)

// Kinds are all of them, in the order of the table.
var Kinds = []string{Lost, Stuck, DuplicateUpload, DuplicateDraft, DuplicateDocument, Unsigned, Differs, Forbidden, AuditBroken}

// Overdue is how long work may lie about that could be done: the reaper, the relay's second ring and the reconciler have
// each had their turn by then.
const Overdue = 90 * time.Second

// maxOrders is how often a person may have to order the same work again: faults come and go, but what nothing strikes any
// more must not be refused again and again.
const maxOrders = 20

// Check holds what clients were told against what is there, and returns every promise that was broken.
func Check(ops []Op, e Evidence) []Violation {
	c := &checker{e: e, ops: ops}
	c.index()
	c.uploads()
	c.answers()
	c.stuck()
	c.drafts()
	c.documents()
	c.steps()
	for _, finding := range e.Audit {
		c.broke(AuditBroken, "%s", finding)
	}
	return c.found
}

type checker struct {
	ops   []Op
	e     Evidence
	found []Violation

	dictations map[string]Dictation
	byKey      map[string][]string // client key: dictations
	originals  map[string]Audio    // by dictation
	versions   map[string]map[int]Version
	signatures map[string]Signature // by dictation
	moves      map[string][]Move
	events     map[string]map[string][]Event // by subject and action, those that were done
}

func (c *checker) broke(kind, format string, args ...any) {
	c.found = append(c.found, Violation{kind, fmt.Sprintf(format, args...)})
}

func (c *checker) index() {
	c.dictations, c.byKey, c.originals = map[string]Dictation{}, map[string][]string{}, map[string]Audio{}
	c.versions, c.signatures = map[string]map[int]Version{}, map[string]Signature{}
	c.moves, c.events = map[string][]Move{}, map[string]map[string][]Event{}
	for _, d := range c.e.Dictations {
		c.dictations[d.ID] = d
		if d.ClientKey != "" {
			c.byKey[d.ClientKey] = append(c.byKey[d.ClientKey], d.ID)
		}
	}
	for _, a := range c.e.Audio {
		if a.Rendition == "original" {
			c.originals[a.Dictation] = a
		}
	}
	for _, v := range c.e.Versions {
		if c.versions[v.Dictation] == nil {
			c.versions[v.Dictation] = map[int]Version{}
		}
		c.versions[v.Dictation][v.Number] = v
	}
	for _, s := range c.e.Signatures {
		c.signatures[s.Dictation] = s
	}
	for _, m := range c.e.Moves {
		c.moves[m.Dictation] = append(c.moves[m.Dictation], m)
	}
	for _, ev := range c.e.Events {
		if ev.Outcome != "done" {
			continue
		}
		if c.events[ev.Subject] == nil {
			c.events[ev.Subject] = map[string][]Event{}
		}
		c.events[ev.Subject][ev.Action] = append(c.events[ev.Subject][ev.Action], ev)
	}
}

// uploads: every receipt has its dictation, its recording in the store bit for bit, and its event; a key that was sent
// again and again, acknowledged or not, has at most one.
func (c *checker) uploads() {
	for _, op := range c.ops {
		if op.Outcome != OK || (op.Kind != Upload && op.Kind != UploadTus) {
			continue
		}
		d, ok := c.dictations[op.Dictation]
		a := c.originals[op.Dictation]
		switch {
		case !ok:
			c.broke(Lost, "upload %d was acknowledged as dictation %s, which is not there", op.ID, op.Dictation)
		case d.ClientKey != op.Key:
			c.broke(Lost, "upload %d with key %s was acknowledged as dictation %s, which is of key %s", op.ID, op.Key, op.Dictation, d.ClientKey)
		case a.SHA256 != op.SHA256:
			c.broke(Lost, "upload %d: the recording of dictation %s is on record as %.12s, sent was %.12s", op.ID, op.Dictation, a.SHA256, op.SHA256)
		case len(c.events[op.Dictation][string(access.Submit)]) != 1:
			c.broke(AuditBroken, "dictation %s has %d events of its receipt", op.Dictation, len(c.events[op.Dictation][string(access.Submit)]))
		}
	}
	for _, a := range c.e.Audio { // also the playback renditions and what nobody was told of
		if stored := c.e.Stored[a.ID]; stored != a.SHA256 {
			c.broke(Lost, "the %s recording of dictation %s cannot be had from the store: %s", a.Rendition, a.Dictation, c.e.Broken[a.ID])
		}
	}
	for key, all := range c.byKey {
		if len(all) > 1 {
			c.broke(DuplicateUpload, "one recording, sent with key %s, became %d dictations", key, len(all))
		}
	}
	bySHA := map[string]string{}
	for _, d := range c.e.Dictations {
		sha := c.originals[d.ID].SHA256
		if sha == "" {
			continue
		}
		if other := bySHA[d.Author+sha]; other != "" {
			c.broke(DuplicateUpload, "the same recording became dictations %s and %s", other, d.ID)
		}
		bySHA[d.Author+sha] = d.ID
	}
}

// answers: whatever else a client was told was done has left its trace.
func (c *checker) answers() {
	written := map[string]int{} // dictation and version: the operation that was told that it wrote it
	ordered := map[string]int{}
	for _, op := range c.ops {
		if op.Outcome != OK {
			continue
		}
		lost := func(what string) { c.broke(Lost, "%s %d of dictation %s: %s", op.Kind, op.ID, op.Dictation, what) }
		switch op.Kind {
		case Save, Settle:
			slot := op.Dictation + "/" + strconv.Itoa(op.Version)
			if other, twice := written[slot]; twice {
				lost(fmt.Sprintf("version %d was acknowledged to operation %d, too", op.Version, other))
			}
			written[slot] = op.ID
			if v := c.versions[op.Dictation][op.Version]; v.Hash != op.Hash {
				lost(fmt.Sprintf("version %d is not the one that was acknowledged", op.Version))
			}
			c.recorded(op, access.Edit, op.Version)
		case ClaimNote:
			c.moved(op, pipeline.Drafted, pipeline.InReview)
		case Send:
			c.moved(op, pipeline.InReview, pipeline.AwaitingSignature)
			c.recorded(op, access.Send, 0)
		case Release:
			c.moved(op, pipeline.InReview, pipeline.Drafted)
			c.recorded(op, access.Release, 0)
		case Return:
			c.moved(op, pipeline.AwaitingSignature, pipeline.Drafted)
			c.recorded(op, access.Return, 0)
		case Sign:
			if s := c.signatures[op.Dictation]; s.Version != op.Version || s.TextSHA256 != op.Hash {
				lost("there is no signature over what was signed")
			}
			c.moved(op, pipeline.AwaitingSignature, pipeline.Signed)
			c.recorded(op, access.Sign, op.Version)
		case Retry:
			if ordered[op.Dictation]++; ordered[op.Dictation] == maxOrders {
				c.broke(Stuck, "dictation %s was ordered again %d times", op.Dictation, maxOrders)
			}
		case Addendum:
			if d, ok := c.dictations[op.Dictation]; !ok || d.Parent == "" {
				lost("there is no such addendum")
			}
		}
	}
}

func (c *checker) moved(op Op, from, to pipeline.State) {
	for _, m := range c.moves[op.Dictation] {
		if m.From == string(from) && m.To == string(to) {
			return
		}
	}
	c.broke(Lost, "%s %d of dictation %s was acknowledged, but the step from %s to %s was never taken", op.Kind, op.ID, op.Dictation, from, to)
}

func (c *checker) recorded(op Op, action access.Action, version int) {
	for _, ev := range c.events[op.Dictation][string(action)] {
		if version == 0 || ev.Detail["version"] == strconv.Itoa(version) {
			return
		}
	}
	c.broke(AuditBroken, "%s %d of dictation %s is not on the record", op.Kind, op.ID, op.Dictation)
}

// stuck: each dictation is at its end, or waits for a person, or has work under way that is not overdue.
func (c *checker) stuck() {
	jobs := map[string][]Job{}
	for _, j := range c.e.Jobs {
		jobs[j.Dictation] = append(jobs[j.Dictation], j)
	}
	held := map[string]time.Time{}
	for _, cl := range c.e.Claims {
		held[cl.Dictation] = cl.Until
	}
	next := map[pipeline.State]pipeline.JobKind{
		pipeline.Received: pipeline.TranscribeJob, pipeline.Queued: pipeline.TranscribeJob,
		pipeline.Transcribed: pipeline.DraftJob, pipeline.Signed: pipeline.DeliverJob,
	}
	for _, d := range c.e.Dictations {
		kind, automatic := next[pipeline.State(d.State)]
		switch {
		case d.State == string(pipeline.InReview) && held[d.ID].Add(Overdue).Before(c.e.Now):
			c.broke(Stuck, "dictation %s is in review, but nobody holds it", d.ID)
		case !automatic:
		default:
			c.attended(d, kind, jobs[d.ID])
		}
	}
}

func (c *checker) attended(d Dictation, kind pipeline.JobKind, jobs []Job) {
	newest := Job{Gen: -1}
	for _, j := range jobs {
		if j.Kind == string(kind) && j.Gen > newest.Gen {
			newest = j
		}
	}
	overdue := func(t time.Time) bool { return t.Add(Overdue).Before(c.e.Now) }
	switch {
	case newest.State == string(pipeline.JobQueued) && overdue(newest.RunAfter):
		c.broke(Stuck, "dictation %s is %s: its %s job lies since %s", d.ID, d.State, kind, newest.RunAfter)
	case newest.State == string(pipeline.JobQueued):
	case newest.State == string(pipeline.JobRunning) && (newest.LeaseUntil == nil || overdue(*newest.LeaseUntil) || newest.LeaseUntil.Sub(c.e.Now) > 2*pipeline.Lease):
		c.broke(Stuck, "dictation %s is %s: its %s job is said to run under the lease until %v", d.ID, d.State, kind, newest.LeaseUntil)
	case newest.State == string(pipeline.JobRunning):
	case d.State == string(pipeline.Signed) && newest.State == string(pipeline.JobDead): // a person must look; the dead job is shown
	default:
		c.broke(Stuck, "dictation %s is %s and has no %s job: its newest is %q", d.ID, d.State, kind, newest.State)
	}
}

// drafts: one run of a stage has one result, however often it was begun.
func (c *checker) drafts() {
	done, transcripts, versions := map[string]int{}, map[string]int{}, map[string]int{}
	for _, j := range c.e.Jobs {
		if j.State == string(pipeline.JobDone) {
			done[j.Dictation+" "+j.Kind]++
		}
	}
	for _, t := range c.e.Transcripts {
		transcripts[t.Job]++
		if transcripts[t.Job] == 2 {
			c.broke(DuplicateDraft, "job %s of dictation %s left two transcripts", t.Job, t.Dictation)
		}
	}
	for _, v := range c.e.Versions {
		if v.Kind == "draft" {
			versions[v.Dictation]++
		}
	}
	for id, n := range versions {
		if runs := done[id+" "+string(pipeline.DraftJob)]; n != runs {
			c.broke(DuplicateDraft, "dictation %s has %d drafts of the engine for %d draft jobs", id, n, runs)
		}
	}
}

// documents: what stands in the EHR was signed, is the signed text, and stands there once.
func (c *checker) documents() {
	signed, ids := map[string]Signature{}, map[string]string{}
	for _, s := range c.e.Signatures {
		signed[fmt.Sprintf("%s/v%d", s.Note, s.Version)] = s
		if s.Computed != s.TextSHA256 {
			c.broke(Differs, "the signed text of note %s is not the one that its hash names", s.Note)
		}
	}
	standing := map[string]string{}
	for _, d := range c.e.Documents {
		s, ok := signed[d.Identifier]
		switch {
		case !ok:
			c.broke(Unsigned, "the EHR holds %s under %s, which nobody signed", d.ID, d.Identifier)
		case d.BodySHA256 != s.TextSHA256:
			c.broke(Differs, "the EHR's %s differs from the signed text of %s", d.ID, d.Identifier)
		}
		if other := ids[d.Identifier]; other != "" {
			c.broke(DuplicateDocument, "the EHR holds %s and %s under %s", other, d.ID, d.Identifier)
		}
		if d.Versions > 1 {
			c.broke(DuplicateDocument, "the EHR's %s was written %d times", d.ID, d.Versions)
		}
		ids[d.Identifier], standing[d.ID] = d.ID, d.Identifier
	}
	byID := map[string]Signature{}
	for _, s := range c.e.Signatures {
		byID[s.ID] = s
	}
	for _, d := range c.e.Deliveries {
		s, ok := byID[d.Signature]
		switch {
		case !ok || s.Note != d.Note || s.TextSHA256 != d.TextSHA256:
			c.broke(Unsigned, "the delivery of note %s quotes no signature over the same text", d.Note)
		case d.State == string(pipeline.DeliveryDelivered) && standing[d.EHRID] != fmt.Sprintf("%s/v%d", s.Note, s.Version):
			c.broke(Lost, "note %s is called delivered as %q, but does not stand there", d.Note, d.EHRID)
		}
	}
}

// steps: each dictation went only where it may, one step after the other, and is where its last one led.
func (c *checker) steps() {
	roles := []access.Role{access.System, access.Physician, access.Editor, access.Supervisor, access.Admin}
	for _, d := range c.e.Dictations {
		moves := c.moves[d.ID]
		slices.SortFunc(moves, func(a, b Move) int { return int(a.Ord - b.Ord) })
		at := ""
		for _, m := range moves {
			from, to := pipeline.State(m.From), pipeline.State(m.To)
			may := from == to || slices.ContainsFunc(roles, func(r access.Role) bool { return pipeline.CanMove(from, to, r) })
			if !may || (at != "" && m.From != at) {
				c.broke(Forbidden, "dictation %s went from %s to %s when it was %s", d.ID, m.From, m.To, at)
			}
			at = m.To
		}
		if at != "" && at != d.State {
			c.broke(Forbidden, "dictation %s is %s, but its last step led to %s", d.ID, d.State, at)
		}
	}
}
