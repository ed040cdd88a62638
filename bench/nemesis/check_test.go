package nemesis_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vesper/bench/nemesis"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	sound = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	text  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// story is one dictation that went the whole way, as its clients saw it and as it stands at the end.
func story() ([]nemesis.Op, nemesis.Evidence) {
	ok := func(id int, kind string) nemesis.Op {
		return nemesis.Op{ID: id, Kind: kind, Dictation: "d1", Outcome: nemesis.OK}
	}
	upload, save, sign := ok(1, nemesis.Upload), ok(3, nemesis.Save), ok(5, nemesis.Sign)
	upload.Key, upload.SHA256 = "k1", sound
	save.Version, save.Hash = 2, "h2"
	sign.Version, sign.Hash = 2, text
	event := func(action string, detail map[string]string) nemesis.Event {
		return nemesis.Event{Action: action, Subject: "d1", Outcome: "done", Detail: detail}
	}
	e := nemesis.Evidence{
		Now:         now,
		Dictations:  []nemesis.Dictation{{ID: "d1", Author: "p1", ClientKey: "k1", State: "delivered"}},
		Audio:       []nemesis.Audio{{ID: "a1", Dictation: "d1", Rendition: "original", SHA256: sound}},
		Stored:      map[string]string{"a1": sound},
		Broken:      map[string]string{},
		Transcripts: []nemesis.Transcript{{ID: "t1", Dictation: "d1", Job: "j1"}},
		Jobs: []nemesis.Job{
			{ID: "j1", Dictation: "d1", Kind: "transcribe", State: "done"},
			{ID: "j2", Dictation: "d1", Kind: "draft", State: "done"},
			{ID: "j3", Dictation: "d1", Kind: "deliver", State: "done"},
		},
		Versions: []nemesis.Version{
			{Note: "n1", Dictation: "d1", Number: 1, Kind: "draft", Hash: "h1"},
			{Note: "n1", Dictation: "d1", Number: 2, Kind: "edit", Hash: "h2"},
		},
		Signatures: []nemesis.Signature{{ID: "s1", Note: "n1", Dictation: "d1", Version: 2, TextSHA256: text, Computed: text}},
		Deliveries: []nemesis.Delivery{{Note: "n1", Signature: "s1", State: "delivered", EHRID: "DocumentReference/1", TextSHA256: text}},
		Documents:  []nemesis.Document{{ID: "DocumentReference/1", Identifier: "n1/v2", BodySHA256: text, Versions: 1}},
		Events: []nemesis.Event{
			event("dictation.submit", nil), event("note.claim", nil), event("note.edit", map[string]string{"version": "2"}),
			event("note.send", nil), event("note.sign", map[string]string{"version": "2"}),
		},
	}
	states := []string{"received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "signed", "delivered"}
	for i := range states[1:] {
		e.Moves = append(e.Moves, nemesis.Move{Ord: int64(i), Dictation: "d1", From: states[i], To: states[i+1]})
	}
	return []nemesis.Op{upload, ok(2, nemesis.ClaimNote), save, ok(4, nemesis.Send), sign}, e
}

func TestTheCheckerLetsAWholeStoryPass(t *testing.T) {
	t.Parallel()
	ops, e := story()
	if found := nemesis.Check(ops, e); len(found) > 0 {
		t.Fatal(nemesis.Explain(found))
	}
}

// TestTheCheckerFindsEachKindOfViolation tells the story with one thing wrong each time.
func TestTheCheckerFindsEachKindOfViolation(t *testing.T) {
	t.Parallel()
	lease := now.Add(time.Hour)
	// back takes the dictation back to a state, with the steps that led there.
	back := func(e *nemesis.Evidence, state string) {
		e.Dictations[0].State = state
		for i, m := range e.Moves {
			if m.To == state {
				e.Moves = e.Moves[:i+1]
				break
			}
		}
		e.Deliveries, e.Documents, e.Jobs = nil, nil, e.Jobs[:2]
	}
	for name, c := range map[string]struct {
		kind string
		harm func([]nemesis.Op, *nemesis.Evidence)
	}{
		"a dictation is gone":          {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Dictations = nil }},
		"other bytes are on record":    {nemesis.Lost, func(ops []nemesis.Op, _ *nemesis.Evidence) { ops[0].SHA256 = text }},
		"the receipt is for another":   {nemesis.Lost, func(ops []nemesis.Op, _ *nemesis.Evidence) { ops[0].Key = "k2" }},
		"the store has other bytes":    {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Stored["a1"] = text }},
		"the store has no bytes":       {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Stored = nil }},
		"an edit is gone":              {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Versions = e.Versions[:1] }},
		"an edit is another's":         {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Versions[1].Hash = "h3" }},
		"two edits were told the same": {nemesis.Lost, func(ops []nemesis.Op, _ *nemesis.Evidence) { ops[1] = ops[2] }},
		"a signature is gone":          {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Signatures = nil }},
		"a signature is over more":     {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Signatures[0].Version = 1 }},
		"a claim left no step":         {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Moves[3].To = "rejected" }},
		"an addendum is gone":          {nemesis.Lost, func(ops []nemesis.Op, _ *nemesis.Evidence) { ops[1].Kind = nemesis.Addendum }},
		"delivered is not there":       {nemesis.Lost, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Documents = nil }},
		"two dictations of one key": {nemesis.DuplicateUpload, func(_ []nemesis.Op, e *nemesis.Evidence) {
			e.Dictations = append(e.Dictations, nemesis.Dictation{ID: "d2", ClientKey: "k1", State: "drafted"})
		}},
		"no job":                        {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) { back(e, "queued"); e.Jobs = nil }},
		"only the job of another stage": {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) { back(e, "transcribed"); e.Jobs = e.Jobs[:1] }},
		"a job lies about": {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) {
			back(e, "queued")
			e.Jobs[0].State, e.Jobs[0].RunAfter = "queued", now.Add(-2*time.Minute)
		}},
		"a lease ran out long ago": {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) {
			back(e, "queued")
			gone := now.Add(-2 * time.Minute)
			e.Jobs[0].State, e.Jobs[0].LeaseUntil = "running", &gone
		}},
		"a lease never ends": {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) {
			back(e, "queued")
			e.Jobs[0].State, e.Jobs[0].LeaseUntil = "running", &lease
		}},
		"ordered again and again": {nemesis.Stuck, func(ops []nemesis.Op, _ *nemesis.Evidence) {
			ops[0] = nemesis.Op{Kind: nemesis.Retry, Dictation: "d1", Outcome: nemesis.OK}
		}},
		"signed, with no delivery job": {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) { back(e, "signed") }},
		"in review by nobody":          {nemesis.Stuck, func(_ []nemesis.Op, e *nemesis.Evidence) { back(e, "in_review") }},
		"two drafts of one job":        {nemesis.DuplicateDraft, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Versions[1].Kind = "draft" }},
		"two transcripts of one job":   {nemesis.DuplicateDraft, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Transcripts = append(e.Transcripts, e.Transcripts[0]) }},
		"two documents": {nemesis.DuplicateDocument, func(_ []nemesis.Op, e *nemesis.Evidence) {
			d := e.Documents[0]
			d.ID = "DocumentReference/2"
			e.Documents = append(e.Documents, d)
		}},
		"a document was written again":  {nemesis.DuplicateDocument, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Documents[0].Versions = 2 }},
		"a document nobody signed":      {nemesis.Unsigned, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Documents[0].Identifier = "n1/v1" }},
		"a delivery without signature":  {nemesis.Unsigned, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Deliveries[0].Signature = "s2" }},
		"a delivery of another text":    {nemesis.Unsigned, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Deliveries[0].TextSHA256 = sound }},
		"the EHR has another text":      {nemesis.Differs, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Documents[0].BodySHA256 = sound }},
		"the signed text was changed":   {nemesis.Differs, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Signatures[0].Computed = sound }},
		"a step that does not exist":    {nemesis.Forbidden, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Moves = append(e.Moves[:1], e.Moves[3:]...) }},
		"a state that no step led to":   {nemesis.Forbidden, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Dictations[0].State = "failed" }},
		"the log does not verify":       {nemesis.AuditBroken, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Audit = []string{"entry 7 was changed"} }},
		"a receipt is not on record":    {nemesis.AuditBroken, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Events = e.Events[1:] }},
		"an edit is not on record":      {nemesis.AuditBroken, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Events[2].Detail = nil }},
		"a refusal stands for the deed": {nemesis.AuditBroken, func(_ []nemesis.Op, e *nemesis.Evidence) { e.Events[4].Outcome = "refused" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ops, e := story()
			c.harm(ops, &e)
			if ops[0].Kind == nemesis.Retry {
				ops = slices.Repeat(ops[:1], 20)
			}
			found := nemesis.Check(ops, e)
			if !slices.ContainsFunc(found, func(v nemesis.Violation) bool { return v.Kind == c.kind }) {
				t.Fatalf("no %q among:\n%s", c.kind, nemesis.Explain(found))
			}
		})
	}
}

func TestWhatWaitsForAPersonOrForItsTimeIsNotStuck(t *testing.T) {
	t.Parallel()
	lease := now.Add(10 * time.Second)
	for name, job := range map[string]nemesis.Job{
		"backed off":              {Dictation: "d1", Kind: "deliver", State: "queued", RunAfter: now.Add(4 * time.Minute)},
		"under way":               {Dictation: "d1", Kind: "deliver", State: "running", LeaseUntil: &lease},
		"dead, shown to a person": {Dictation: "d1", Kind: "deliver", State: "dead", Error: "ehr_refused"},
	} {
		ops, e := story()
		e.Dictations[0].State, e.Moves = "signed", e.Moves[:len(e.Moves)-1]
		e.Jobs[2], e.Deliveries, e.Documents = job, nil, nil
		if found := nemesis.Check(ops, e); len(found) > 0 {
			t.Errorf("%s: %s", name, nemesis.Explain(found))
		}
	}
}

func TestAnOperationWithoutAnAnswerMayHaveBeenDoneOrNot(t *testing.T) {
	t.Parallel()
	ops, e := story()
	for i := range ops {
		ops[i].Outcome = nemesis.Unknown
	}
	if found := nemesis.Check(ops, e); len(found) > 0 {
		t.Fatal(nemesis.Explain(found))
	}
	if found := nemesis.Check(ops, nemesis.Evidence{Now: now}); len(found) > 0 {
		t.Fatal(nemesis.Explain(found))
	}
}

func TestTheReportSaysHowSoonThingsWereBack(t *testing.T) {
	t.Parallel()
	h := nemesis.NewHistory(nil)
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	h.Struck(nemesis.Strike{Kind: "Redis wiped", Start: at(0), End: at(1), Affects: []string{"stage:draft"}, InHand: []string{"j1", "j2"}})
	h.Struck(nemesis.Strike{Kind: "Redis wiped", Start: at(10), End: at(11), Affects: []string{"stage:draft"}})
	h.Struck(nemesis.Strike{Kind: "disk full", Failed: "needs root"})
	h.Lives("stage:draft", at(0))
	h.Lives("stage:transcribe", at(2))
	h.Lives("stage:draft", at(4))
	h.Lives("stage:draft", at(18))
	h.Did(nemesis.Op{Kind: nemesis.Upload, Outcome: nemesis.Unknown})
	var b strings.Builder
	early, late := at(3), at(9)
	jobs := []nemesis.Job{{ID: "j1", Finished: &late}, {ID: "j2", Finished: &early}}
	nemesis.Report(&b, h, nemesis.Evidence{Jobs: jobs}, []nemesis.Violation{{Kind: nemesis.Lost}})
	for _, want := range []string{"Redis wiped         2      7.0 s  7.0 s               8.0 s  8.0 s", "not injected: disk full, 1 times: needs root", nemesis.Lost + "    1", "upload   0        0        1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
