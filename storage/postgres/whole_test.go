package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

// programs is the folder of PostgreSQL's own programs.
func programs(t *testing.T) string {
	t.Helper()
	p, err := services.FindPostgres(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(p.Path)
}

func TestADumpOfASnapshotIsLoadedRowForRow(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	d, s, _ := w.sign()
	w.audit("note.sign", d.ID)
	w.super(`INSERT INTO sessions (token_hash, data, expiry) VALUES (sha256('token'), '\x02', now() + interval '1 hour')`)
	whole, err := postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	defer whole.Close(ctx)
	snapshot, err := whole.Freeze(ctx)
	w.must(err)
	saved, err := whole.Tables(ctx)
	w.must(err)
	w.receive() // work goes on while it is saved
	w.audit("dictation.submit", d.ID)
	var dump bytes.Buffer
	w.must(whole.Dump(ctx, programs(t), snapshot, &dump))

	admin := testkit.Postgres(t)
	w.must(postgres.Provision(ctx, admin, dbName(admin), servePassword, workPassword))
	into, err := postgres.OpenWhole(ctx, admin)
	w.must(err)
	defer into.Close(ctx)
	w.must(into.LoadDump(ctx, programs(t), &dump))
	loaded, err := into.Tables(ctx)
	w.must(err)
	if !maps.Equal(saved, loaded) || saved["signatures"] != 1 || saved["audit_events"] == 0 {
		t.Errorf("saved %v\nloaded %v", saved, loaded)
	}
	if _, counted := saved["sessions"]; counted {
		t.Error("sessions are counted")
	}
	if n := testkit.Column[int](t, admin, `SELECT count(*)::int FROM sessions`); n[0] != 0 {
		t.Error("log-ins of another day were restored")
	}
	was, is := strings.Split(schema(t, w.admin), "\n"), strings.Split(schema(t, admin), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("the schema had: %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("the schema has: %s", line)
		}
	}

	// The logins find what was signed, under the same policies.
	logins, err := postgres.LoginURLs(admin, dbName(admin), servePassword, workPassword)
	w.must(err)
	serve := w.open(logins.Serve)
	w.must(serve.RequireSchema(ctx))
	w.must(serve.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.SignatureOf(ctx, s.NoteID)
		return err
	}))
	wantFault(t, serve.InTx(ctx, id(), func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.SignatureOf(ctx, s.NoteID)
		return err
	}), fault.NotFound, "not_found")
}

func TestADumpOfAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	w := &world{TB: t}
	ctx := context.Background()
	old, admin := testkit.Postgres(t), testkit.Postgres(t)
	for _, url := range []string{old, admin} {
		w.must(postgres.Provision(ctx, url, dbName(url), servePassword, workPassword))
	}
	w.must(postgres.MigrateTo(ctx, old, quiet, 13)) // before there was a word on who may work with it
	from, err := postgres.OpenWhole(ctx, old)
	w.must(err)
	defer from.Close(ctx)
	snapshot, err := from.Freeze(ctx)
	w.must(err)
	if v, _, err := from.Versions(ctx); err != nil || v != 13 {
		t.Fatalf("schema %d, %v", v, err)
	}
	var dump bytes.Buffer
	w.must(from.Dump(ctx, programs(t), snapshot, &dump))
	into, err := postgres.OpenWhole(ctx, admin)
	w.must(err)
	defer into.Close(ctx)
	w.must(into.LoadDump(ctx, programs(t), &dump))
	logins, err := postgres.LoginURLs(admin, dbName(admin), servePassword, workPassword)
	w.must(err)
	work := w.open(logins.Work)
	wantFault(t, work.RequireSchema(ctx), fault.Invalid, "schema_old")
	w.must(postgres.Migrate(ctx, admin, quiet))
	w.must(work.RequireSchema(ctx))
}

func TestRecordingsGetTheirNewVersionsAndJobsAreRungAgain(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	for range 3 {
		w.receive()
	}
	whole, err := postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	defer whole.Close(ctx)
	versions := map[uuid.UUID]string{}
	w.must(whole.EachRecording(ctx, func(a pipeline.Audio) error { versions[a.ID] = "new-" + a.ID.String(); return nil }))
	if len(versions) != 3 {
		t.Fatalf("%d recordings", len(versions))
	}
	w.must(whole.Place(ctx, versions))
	_, err = whole.Exec(ctx, `UPDATE audio_objects SET sha256 = repeat('0', 64)`)
	wantState(t, err, "VS001")
	_, err = w.raw(w.logins.Work, w.practice, `UPDATE audio_objects SET version_id = 'other'`)
	wantState(t, err, "VS001")
	w.must(whole.EachRecording(ctx, func(a pipeline.Audio) error {
		if a.VersionID != versions[a.ID] {
			t.Errorf("version %q", a.VersionID)
		}
		return nil
	}))
	stop := errors.New("enough")
	if err := whole.EachRecording(ctx, func(pipeline.Audio) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	w.super(`UPDATE jobs SET dispatched_at = now(), dispatch_no = 1`,
		`INSERT INTO audio_locks (audio_id, practice_id, locked_until, held) SELECT id, practice_id, now() + interval '1 day', true FROM audio_objects`)
	w.must(whole.WakeJobs(ctx))
	if n := testkit.Column[int](t, w.admin, `SELECT count(*)::int FROM audio_locks WHERE held OR locked_until IS NOT NULL`)[0]; n != 0 {
		t.Errorf("%d recordings count as locked in a store that was never asked", n)
	}
	rung := 0
	_, err = w.work.Dispatch(ctx, 10, func(context.Context, pipeline.Doorbell) error { rung++; return nil })
	if want := testkit.Column[int](t, w.admin, `SELECT count(*)::int FROM jobs WHERE state = 'queued'`)[0]; err != nil || rung != want {
		t.Errorf("%d of %d jobs are rung, %v", rung, want, err)
	}
}

func TestALoginThatPoliciesBindCannotSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := postgres.OpenWhole(context.Background(), w.logins.Work)
	wantFault(t, err, fault.Invalid, "backup_role")
}

func TestADumpThatIsCutOrNoneIsRefusedWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	whole, err := postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	defer whole.Close(ctx)
	err = whole.LoadDump(ctx, programs(t), strings.NewReader("no dump"))
	wantFault(t, err, fault.Internal, "dump_failed")
	_, err = whole.Freeze(ctx)
	w.must(err)
	err = whole.Dump(ctx, programs(t), "00000000-0000-1", io.Discard)
	wantFault(t, err, fault.Internal, "dump_failed")
	wantFault(t, whole.Dump(ctx, t.TempDir(), "x", io.Discard), fault.Unavailable, "postgres_missing")

	said := "pg_restore: error: COPY failed for table \"patients\": ERROR:  invalid input \"Testa, Lydia\"\nCONTEXT:  COPY patients, line 1: \"1960\"\n"
	if text := postgres.ClientFault("pg_restore", said, errors.New("exit status 1")).Error(); strings.Contains(text, "Lydia") || strings.Contains(text, "1960") || !strings.Contains(text, "COPY failed") {
		t.Errorf("it says %q", text)
	}
	for said, code := range map[string]string{
		"pg_restore: error: could not extend file: No space left on device":          "disk_full",
		"pg_dump: error: aborting because of server version mismatch":                "postgres_too_old",
		"pg_dump: error: connection to server at 127.0.0.1 failed":                   "database_unavailable",
		"pg_dump: error: query failed: ERROR:  permission denied for table patients": "backup_role",
	} {
		name, _, _ := strings.Cut(said, ":")
		if got := fault.As(postgres.ClientFault(name, said, errors.New("exit status 1"))).Code; got != code {
			t.Errorf("%s: %s", said, got)
		}
	}
}

func TestPurgedRecordingsAreNotLookedForAndAnOlderSchemaKnowsNone(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	w.receive()
	w.receive()
	w.super(`SET session_replication_role = replica;
		INSERT INTO tombstones (audio_id, practice_id, dictation_id, rendition, sha256, size, seconds, rule_id, work_type, rule_version, purged_at, note)
		SELECT id, practice_id, dictation_id, rendition, sha256, size, 1, gen_random_uuid(), '', 1, now(), 'x' FROM audio_objects ORDER BY id LIMIT 1`)
	whole, err := postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	defer whole.Close(ctx)
	count := func() (n int) {
		w.must(whole.EachRecording(ctx, func(pipeline.Audio) error { n++; return nil }))
		return n
	}
	if n := count(); n != 1 {
		t.Errorf("%d recordings are looked for; one of two was purged", n)
	}
	w.super(`DROP TABLE tombstones CASCADE`)
	if n := count(); n != 2 {
		t.Errorf("%d of 2 recordings are found under an older schema", n)
	}
}

func TestAPurgeAfterTheSnapshotIsSeen(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	w.receive()
	w.receive()
	w.receive()
	whole, err := postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	defer func() { whole.Close(ctx) }()
	_, err = whole.Freeze(ctx)
	w.must(err)
	var ids []uuid.UUID
	w.must(whole.EachRecording(ctx, func(a pipeline.Audio) error { ids = append(ids, a.ID); return nil }))
	purged := func() (out []bool) {
		for _, id := range ids {
			is, err := whole.Purged(ctx, id)
			w.must(err)
			out = append(out, is)
		}
		return out
	}
	same(t, "purged before", purged(), []bool{false, false, false})
	w.super(`SET session_replication_role = replica;
		INSERT INTO tombstones (audio_id, practice_id, dictation_id, rendition, sha256, size, seconds, rule_id, work_type, rule_version, purged_at, note)
		SELECT id, practice_id, dictation_id, rendition, sha256, size, 1, gen_random_uuid(), '', 1, now(), 'x' FROM audio_objects ORDER BY id LIMIT 1;
		INSERT INTO purges (audio_id, practice_id, dictation_id, rule_id, state)
		SELECT id, practice_id, dictation_id, gen_random_uuid(), 'started' FROM audio_objects ORDER BY id OFFSET 1 LIMIT 1;
		INSERT INTO purges (audio_id, practice_id, dictation_id, rule_id, state)
		SELECT id, practice_id, dictation_id, gen_random_uuid(), 'intended' FROM audio_objects ORDER BY id OFFSET 2 LIMIT 1`)
	same(t, "purged, on its way out, intended", purged(), []bool{true, true, false})
	n := 0
	w.must(whole.EachRecording(ctx, func(pipeline.Audio) error { n++; return nil }))
	same(t, "recordings of the snapshot", n, 3)
	whole.Close(ctx) // its snapshot holds the tables
	w.super(`DROP TABLE tombstones CASCADE`)
	whole, err = postgres.OpenWhole(ctx, w.admin)
	w.must(err)
	same(t, "purged under an older schema", purged(), []bool{false, false, false})
}
