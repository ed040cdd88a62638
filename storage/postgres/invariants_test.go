package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

var appendOnlyTables = []string{
	"transcripts", "transcript_words", "transcript_spans", "note_versions", "signatures", "audit_events",
	"audit_entries", "audit_hashes", "audit_checkpoints", "job_chunks", "job_terms", "dictation_moves", "state_changes",
	"retention_rules", "tombstones",
	"turnaround_plans", "escalation_rules", "escalations",
}

func TestHistoryCannotBeChangedByTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sign()
	w.audit("note.sign", id())
	for _, login := range []string{w.logins.Serve, w.logins.Work} {
		for _, table := range appendOnlyTables {
			for _, sql := range []string{"DELETE FROM " + table, "TRUNCATE " + table + " CASCADE"} {
				_, err := w.raw(login, w.practice, sql)
				wantState(t, err, "42501")
			}
			_, err := w.raw(login, w.practice, "UPDATE "+table+" SET "+w.column(table)+" = "+w.column(table))
			wantState(t, err, "42501")
		}
	}
}

func TestHistoryCannotBeChangedByTheOwnerEither(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	for _, table := range appendOnlyTables {
		for _, sql := range []string{"DELETE FROM " + table, "TRUNCATE " + table + " CASCADE", "UPDATE " + table + " SET " + w.column(table) + " = " + w.column(table)} {
			_, err := w.raw(w.admin, uuid.Nil, sql) // a superuser, whom no grant stops
			wantState(t, err, "VS001")
		}
	}
}

// column is some column of the table that may stand in an UPDATE.
func (w *world) column(table string) string {
	w.Helper()
	conn := w.conn(w.admin)
	var name string
	w.must(conn.QueryRow(context.Background(), `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1`, table).Scan(&name))
	return name
}

func TestNothingOfTheApplicationMayDeleteExceptSessionsAndReminders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.conn(w.admin)
	var tables string
	w.must(conn.QueryRow(context.Background(), `
		SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
		  AND (has_table_privilege('vesper_serve', oid, 'DELETE') OR has_table_privilege('vesper_work', oid, 'DELETE')
		       OR has_table_privilege('vesper_work', oid, 'TRUNCATE'))`).Scan(&tables))
	if tables != "arriving,arriving_chunks,arriving_parts,arriving_terms,audit_pending,sessions" {
		t.Errorf("rows may be deleted from: %s", tables)
	}
}

func TestEveryTableWithAPracticeHasForcedRowLevelSecurity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.conn(w.admin)
	var open string
	w.must(conn.QueryRow(context.Background(), `
		SELECT coalesce(string_agg(c.relname, ','), '') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE a.attname = 'practice_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`).Scan(&open))
	if open != "" {
		t.Errorf("without forced row-level security: %s", open)
	}
}

// keepingTables stay empty until somebody sets a rule or a check finds something.
var keepingTables = []string{"retention_rules", "legal_holds", "purges", "tombstones", "audio_locks", "keep_findings"}

var practiceTables = []string{
	"practices", "people", "patients", "encounters", "work_types", "dictations", "audio_objects", "jobs", "job_chunks",
	"transcripts", "transcript_words", "transcript_spans", "notes", "note_versions", "claims", "signatures", "deliveries", "audit_events", "vocabulary_terms", "text_blocks",
	"corrections", "turnaround_plans", "escalation_rules", "escalations", "notifications", "notification_settings", "webhooks", "messages", "assignments",
	"retention_rules", "legal_holds", "purges", "tombstones", "audio_locks", "keep_findings",
}

func TestAnotherPracticeSeesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, s, _ := w.sign()
	w.audit("note.sign", d.ID)
	other := w.newPractice("Harbor Clinic")
	for _, table := range practiceTables {
		if table == "people" || table == "practices" || table == "encounters" || table == "work_types" || table == "claims" || table == "job_chunks" || table == "vocabulary_terms" || table == "text_blocks" ||
			table == "corrections" || slices.Contains(keepingTables, table) || slices.Contains(noticeTables, table) {
			continue // looked at below, and in notices_test.go
		}
		for _, login := range []string{w.logins.Serve, w.logins.Work} {
			if n, err := w.raw(login, w.practice, "SELECT * FROM "+table); err != nil || n == 0 {
				t.Errorf("%s: own practice sees %d rows, %v", table, n, err)
			}
		}
	}
	for _, table := range practiceTables {
		for _, login := range []string{w.logins.Serve, w.logins.Work} {
			n, err := w.raw(login, other, "SELECT * FROM "+table)
			if err != nil || n > 1 || n == 1 && table != "practices" {
				t.Errorf("%s: another practice sees %d rows, %v", table, n, err)
			}
		}
		if n, err := w.raw(w.logins.Serve, uuid.Nil, "SELECT * FROM "+table); err != nil || n != 0 {
			t.Errorf("%s: without a practice the web server sees %d rows, %v", table, n, err)
		}
	}
	for _, find := range []func(context.Context, pipeline.Tx) error{
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Dictation(ctx, d.ID); return err },
		func(ctx context.Context, tx pipeline.Tx) error {
			_, err := tx.DictationForUpdate(ctx, d.ID)
			return err
		},
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Card(ctx, d.ID); return err },
		func(ctx context.Context, tx pipeline.Tx) error {
			_, err := tx.AudioOf(ctx, d.ID, pipeline.Original)
			return err
		},
		func(ctx context.Context, tx pipeline.Tx) error { _, _, err := tx.TranscriptOf(ctx, d.ID); return err },
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Note(ctx, s.NoteID); return err },
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.SignatureOf(ctx, s.NoteID); return err },
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Patient(ctx, w.patient.ID); return err },
		func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Person(ctx, w.physician.ID); return err },
		func(ctx context.Context, tx pipeline.Tx) error {
			_, err := tx.PasswordHash(ctx, w.physician.ID)
			return err
		},
		func(ctx context.Context, tx pipeline.Tx) error {
			return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Signed}, pipeline.Delivered, "")
		},
		func(ctx context.Context, tx pipeline.Tx) error { return tx.Bind(ctx, d.ID, nil, nil, "consult") },
		func(ctx context.Context, tx pipeline.Tx) error { return tx.SetPersonDisabled(ctx, w.editor.ID, true) },
	} {
		wantFault(t, w.serve.InTx(context.Background(), other, find), fault.NotFound, "not_found")
		wantFault(t, w.work.InTx(context.Background(), other, find), fault.NotFound, "not_found")
	}
}

func TestAcrossPracticesAWorkerSeesOnlyJobsStatesAndEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _, _ := w.sign()
	w.audit("note.sign", d.ID)
	may := map[string]bool{"jobs": true, "dictations": true, "audit_events": true, "job_chunks": true, "messages": true, "webhooks": true}
	for _, table := range practiceTables {
		n, err := w.raw(w.logins.Work, uuid.Nil, "SELECT * FROM "+table)
		if err != nil || n > 0 && !may[table] {
			t.Errorf("%s: a worker sees %d rows, %v", table, n, err)
		}
	}
	for _, table := range []string{"arriving_parts", "arriving_chunks", "arriving_terms"} { // of an upload it sees ids and times only
		if n, err := w.raw(w.logins.Work, uuid.Nil, "SELECT * FROM "+table); err != nil || n != 0 {
			t.Errorf("%s: a worker sees %d rows, %v", table, n, err)
		}
	}
	if n, err := w.raw(w.logins.Work, uuid.Nil, "UPDATE dictations SET reason = 'x'"); err != nil || n != 0 {
		t.Errorf("a worker changed %d dictations, %v", n, err)
	}
}

func TestARowCannotBeWrittenIntoAnotherPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.newPractice("Harbor Clinic")
	err := w.serve.InTx(context.Background(), other, func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{PracticeID: w.practice, MRN: "X", Name: "X"})
	})
	wantFault(t, err, fault.Internal, "database_permission")
	// A row of one's own practice cannot point into another either.
	err = w.serve.InTx(context.Background(), other, func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertDictation(ctx, pipeline.Dictation{AuthorID: w.physician.ID, AudioID: new(uuid.UUID)})
	})
	wantFault(t, err, fault.Invalid, "reference_unknown")
}

func TestAPooledConnectionDoesNotCarryAPracticeOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.open(w.logins.Serve + "&pool_max_conns=1")
	w.must(s.InTx(context.Background(), w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.Patient(ctx, w.patient.ID)
		return err
	}))
	other := w.newPractice("Harbor Clinic")
	err := s.InTx(context.Background(), other, func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.Patient(ctx, w.patient.ID)
		return err
	})
	wantFault(t, err, fault.NotFound, "not_found")
	wantFault(t, s.InTx(context.Background(), uuid.Nil, nil), fault.NotFound, "not_found")
}

func TestTheDatabaseKnowsTheSameTransitionsAsTheProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.conn(w.admin)
	rows, err := conn.Query(context.Background(), `SELECT from_state || ' ' || to_state FROM dictation_moves`)
	w.must(err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	known := map[string]bool{}
	for _, m := range list {
		known[m] = true
	}
	for _, from := range states() {
		for _, to := range states() {
			allowed := false
			for _, role := range append(access.Roles(), access.System) {
				allowed = allowed || pipeline.CanMove(from, to, role)
			}
			if key := string(from + " " + to); known[key] != allowed {
				t.Errorf("%s: program %v, database %v", key, allowed, known[key])
			}
		}
	}
}

func states() []pipeline.State {
	return []pipeline.State{
		pipeline.Received, pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview,
		pipeline.AwaitingSignature, pipeline.Signed, pipeline.Delivered, pipeline.Rejected, pipeline.Failed,
	}
}

func TestADictationCannotSkipStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.receive()
	for _, to := range states() {
		n, err := w.raw(w.logins.Serve, w.practice, `UPDATE dictations SET state = $2 WHERE id = $1 AND state = 'queued'`, d.ID, to)
		switch to {
		case pipeline.Queued:
			if err != nil || n != 1 {
				t.Errorf("staying: %d, %v", n, err)
			}
		case pipeline.Transcribed, pipeline.Rejected, pipeline.Failed:
			if err != nil {
				t.Errorf("to %s: %v", to, err)
			}
			w.super(`UPDATE dictations SET state = 'queued' WHERE id = '` + d.ID.String() + `'`)
		default:
			wantState(t, err, "VS002")
		}
	}
	_, err := w.raw(w.logins.Serve, w.practice, `INSERT INTO dictations (id, practice_id, author_id, audio_id, priority, state, received_at, due_at)
		VALUES ($1, $2, $3, $1, 'stat', 'signed', now(), now())`, id(), w.practice, w.physician.ID)
	wantState(t, err, "VS002")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Drafted, pipeline.InReview}, pipeline.AwaitingSignature, "")
	}), fault.Conflict, "state_changed")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.Move(ctx, d.ID, states(), pipeline.Delivered, "")
	}), fault.Conflict, "state_changed")
}

func TestADictationWithoutItsRecordingCannotBeCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audio := id()
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertDictation(ctx, pipeline.Dictation{AuthorID: w.physician.ID, AudioID: &audio})
	}), fault.Invalid, "reference_unknown")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertDictation(ctx, pipeline.Dictation{AuthorID: w.physician.ID})
	}), fault.Internal, "refused_by_database")
}

func TestSignedAndDeliveredNeedTheRowsThatProveThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	waiting, _ := w.await()
	_, err := w.raw(w.logins.Serve, w.practice, `UPDATE dictations SET state = 'signed' WHERE id = $1`, waiting.ID)
	wantState(t, err, "VS003")
	signed, _, v := w.sign()
	_, err = w.raw(w.logins.Serve, w.practice, `UPDATE dictations SET state = 'delivered' WHERE id = $1`, signed.ID)
	wantState(t, err, "VS003")
	for _, sql := range []string{
		`UPDATE deliveries SET state = 'delivered' WHERE id = $1`,
		`UPDATE deliveries SET state = 'delivered', ehr_id = 'DocumentReference/1', read_back_sha256 = repeat('0', 64) WHERE id = $1`,
	} {
		_, err = w.raw(w.logins.Serve, w.practice, sql, v.ID)
		wantState(t, err, "23514")
	}
}

func TestAnUnsignedDeliveryIsImpossible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, s, _ := w.sign()
	unsigned, note := w.await()
	insert := `INSERT INTO deliveries (id, practice_id, note_id, signature_id, text_sha256, target, state) VALUES ($1, $2, $3, $4, $5, 'other', 'pending')`
	for what, c := range map[string]struct {
		note, signature uuid.UUID
		text, state     string
	}{
		"no such signature":          {s.NoteID, id(), s.TextSHA256, "23503"},
		"other bytes than signed":    {s.NoteID, s.ID, sum("other"), "23503"},
		"an unsigned note":           {note.ID, s.ID, s.TextSHA256, "VS003"},
		"a note that does not exist": {id(), s.ID, s.TextSHA256, "VS003"},
	} {
		_, err := w.raw(w.logins.Serve, w.practice, insert, id(), w.practice, c.note, c.signature, c.text)
		if err == nil || !strings.Contains(err.Error(), c.state) {
			t.Errorf("%s: %v; want %s", what, err, c.state)
		}
	}
	// Even with a signature in place, the dictation must be signed.
	w.super(`UPDATE dictations SET state = 'awaiting_signature' WHERE id = '` + d.ID.String() + `'`)
	_, err := w.raw(w.logins.Serve, w.practice, insert, id(), w.practice, s.NoteID, s.ID, s.TextSHA256)
	wantState(t, err, "VS003")
	// A signature of one note does not carry another, signed note.
	w.super(`UPDATE dictations SET state = 'signed' WHERE id IN ('` + d.ID.String() + `', '` + unsigned.ID.String() + `')`)
	_, err = w.raw(w.logins.Serve, w.practice, insert, id(), w.practice, note.ID, s.ID, s.TextSHA256)
	wantState(t, err, "23503")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertDelivery(ctx, pipeline.Delivery{NoteID: s.NoteID, SignatureID: s.ID, TextSHA256: s.TextSHA256, Target: "ehr"})
	}), fault.Conflict, "delivery_exists")
}

func TestASignatureCoversExactlyItsBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, n := w.await()
	drafted, other := w.draft()
	for what, c := range map[string]struct {
		change func(*pipeline.Signature)
		kind   fault.Kind
		code   string
	}{
		"text changed":       {func(s *pipeline.Signature) { s.Text = append(s.Text, '!') }, fault.Internal, "refused_by_database"},
		"statement changed":  {func(s *pipeline.Signature) { s.Canonical = []byte("{}") }, fault.Internal, "refused_by_database"},
		"not the author":     {func(s *pipeline.Signature) { s.SignerID = w.editor.ID }, fault.Conflict, "not_signed"},
		"not the newest":     {func(s *pipeline.Signature) { s.Version = 2 }, fault.Conflict, "version_conflict"},
		"not waiting for it": {func(s *pipeline.Signature) { s.NoteID = other.ID }, fault.Conflict, "state_changed"},
	} {
		s := w.signature(n)
		c.change(&s)
		err := w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertSignature(ctx, s) })
		if f := fault.As(err); err == nil || f.Kind != c.kind || f.Code != c.code {
			t.Errorf("%s: %v; want %s", what, err, c.code)
		}
	}
	_ = drafted
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertSignature(ctx, w.signature(n)) })
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertSignature(ctx, w.signature(n)) }), fault.Conflict, "already_signed")
}

func TestASignedNoteTakesNoMoreVersionsAndKeepsItsPatient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, s, _ := w.sign()
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: s.NoteID, Number: 2, Kind: pipeline.EditorEdit, Document: document("x"), ContentHash: "h", By: &w.editor.ID})
		return err
	}), fault.Conflict, "already_signed")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.Bind(ctx, d.ID, nil, nil, "consult") }), fault.Conflict, "already_signed")
	_, err := w.raw(w.logins.Serve, w.practice, `UPDATE dictations SET patient_id = NULL WHERE id = $1`, d.ID)
	wantState(t, err, "VS004")
}

func TestAVisitOfAnotherPatientCannotBeBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, n := w.draft()
	stranger := pipeline.Patient{ID: id(), MRN: "T-2", Name: "Demo, Ola"}
	visit := pipeline.Encounter{ID: id(), PatientID: stranger.ID, AuthorID: w.physician.ID}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.InsertPatient(ctx, stranger))
		return tx.InsertEncounter(ctx, visit)
	})
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.Bind(ctx, d.ID, &w.patient.ID, &visit.ID, "consult")
	}), fault.Invalid, "reference_unknown")
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.Bind(ctx, d.ID, &stranger.ID, &visit.ID, "consult"))
		got, err := tx.Note(ctx, n.ID)
		w.must(err)
		if got.WorkType != "consult" {
			t.Errorf("the note's work type is %s", got.WorkType)
		}
		return nil
	})
}
