package postgres_test

import (
	"context"
	"io/fs"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/postgres"
)

// upgraded is the schema of a program one or more versions ahead: all that is there, and these steps.
func upgraded(t *testing.T, steps ...string) fs.FS {
	t.Helper()
	known, err := fs.Sub(postgres.Migrations(), "migrations")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(known, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range names {
		text, err := fs.ReadFile(known, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	for i, step := range steps {
		files[strconv.Itoa(1000 + len(names) + i + 1)[1:]+"_next.sql"] = &fstest.MapFile{Data: []byte(step)}
	}
	return files
}

func (w *world) upgrade(steps ...string) {
	w.Helper()
	t, ok := w.TB.(*testing.T)
	if !ok {
		w.Fatal("not in a test")
	}
	w.must(postgres.MigrateFrom(context.Background(), w.admin, quiet, upgraded(t, steps...), time.Second, 10*time.Millisecond, time.Minute))
}

func TestAnOlderProgramGoesOnWithANewerSchemaUntilItIsLeftBehind(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	next := postgres.KnownSchema() + 1
	add := `ALTER TABLE dictations ADD COLUMN room text NOT NULL DEFAULT ''`
	w.upgrade(add)

	// Side by side: what the old program writes and reads goes on, and it may start anew.
	w.receive()
	for _, login := range []string{w.logins.Serve, w.logins.Work} {
		w.must(w.open(login).RequireSchema(ctx))
	}
	w.must(postgres.Migrate(ctx, w.admin, quiet))
	if v, err := w.serve.SchemaVersion(ctx); err != nil || v != next {
		t.Fatalf("the old program left version %d, %v", v, err)
	}

	w.upgrade(add, `UPDATE schema_compat SET oldest_program = `+strconv.Itoa(next+1))
	wantFault(t, w.serve.RequireSchema(ctx), fault.Invalid, "schema_new")
	wantFault(t, postgres.Migrate(ctx, w.admin, quiet), fault.Invalid, "schema_new")
}

func TestARunningProcessStopsWhenTheSchemaLeavesItBehind(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watching := func(s *postgres.Store, every time.Duration) <-chan error {
		end := make(chan error, 1)
		go func() { end <- s.WatchSchema(ctx, every) }()
		return end
	}
	looks, stumbles := watching(w.serve, 20*time.Millisecond), watching(w.work, time.Hour)

	add := `ALTER TABLE dictations ADD COLUMN room text NOT NULL DEFAULT ''`
	w.upgrade(add)
	// A mistake of the program makes it look, but the schema still fits.
	if _, err := w.raw(w.logins.Work, w.practice, `SELECT nonsense FROM dictations`); err == nil {
		t.Fatal("a column that is not there was read")
	}
	w.receive()
	select {
	case err := <-looks:
		t.Fatalf("stopped over a schema that it can work with: %v", err)
	case err := <-stumbles:
		t.Fatalf("stopped over a schema that it can work with: %v", err)
	default:
	}

	w.upgrade(add, `ALTER TABLE jobs RENAME COLUMN worker TO done_by; UPDATE schema_compat SET oldest_program = `+strconv.Itoa(postgres.KnownSchema()+2))
	wantFault(t, <-looks, fault.Invalid, "schema_new")
	_, err := w.work.ClaimJob(ctx, id(), "old worker")
	wantFault(t, err, fault.Internal, "schema_old")
	wantFault(t, <-stumbles, fault.Invalid, "schema_new")
}

func TestAServerThatIsAwayIsNoReasonToStop(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t, "postgres")
	if err := prepare(context.Background(), own.PostgresURL()); err != nil {
		t.Fatal(err)
	}
	logins, err := postgres.LoginURLs(own.PostgresURL(), "vesper", servePassword, workPassword)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(context.Background(), logins.Serve, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	own.StopPostgres(false)
	if err := s.RequireSchema(context.Background()); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("without a server: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := s.WatchSchema(ctx, 10*time.Millisecond); err != nil {
		t.Errorf("stopped because the server is away: %v", err)
	}
}

func TestAMigrationThatWaitsForAReaderDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	const lock = 300 * time.Millisecond
	reader, err := w.conn(w.admin).Begin(ctx) // a report that reads for long
	w.must(err)
	defer func() { _ = reader.Rollback(ctx) }()
	_, err = reader.Exec(ctx, `SELECT count(*) FROM dictations`)
	w.must(err)

	done := make(chan error, 1)
	step := `ALTER TABLE dictations ADD COLUMN room text NOT NULL DEFAULT ''`
	go func() {
		done <- postgres.MigrateFrom(ctx, w.admin, quiet, upgraded(t, step), lock, 50*time.Millisecond, time.Minute)
	}()
	waiting := func() bool {
		var n int
		w.must(w.conn(w.logins.Serve).QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'`).Scan(&n))
		return n > 0
	}
	var worst time.Duration
	for range 3 { // each time while the migration stands in the queue
		testkit.Until(t, 10*time.Second, "the migration waits for its lock", waiting)
		start := time.Now()
		w.receive()
		worst = max(worst, time.Since(start))
	}
	if worst > lock+time.Second {
		t.Errorf("a dictation waited %s behind the migration", worst)
	}
	select {
	case err := <-done:
		t.Fatalf("the migration did not wait for the reader: %v", err)
	default:
	}
	w.must(reader.Rollback(ctx))
	w.must(<-done)
	w.must(w.serve.RequireSchema(ctx))
}

func TestAMigrationThatNeverGetsItsLockSaysSoAndLosesNothing(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	reader, err := w.conn(w.admin).Begin(ctx)
	w.must(err)
	_, err = reader.Exec(ctx, `SELECT count(*) FROM dictations`)
	w.must(err)
	files := upgraded(t, `CREATE TABLE rooms (id int)`, `ALTER TABLE dictations ADD COLUMN room int`)
	err = postgres.MigrateFrom(ctx, w.admin, quiet, files, 20*time.Millisecond, 10*time.Millisecond, 200*time.Millisecond)
	wantFault(t, err, fault.Unavailable, "migration_blocked")
	if v, err := w.serve.SchemaVersion(ctx); err != nil || v != postgres.KnownSchema()+1 {
		t.Errorf("the step before is not kept: version %d, %v", v, err)
	}
	w.must(reader.Rollback(ctx))
	w.must(postgres.MigrateFrom(ctx, w.admin, quiet, files, time.Second, 10*time.Millisecond, time.Minute))
}

func TestAnIndexIsBuiltBesideALongReaderAndOnceMoreAfterItWasCutShort(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	reader, err := w.conn(w.admin).BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	w.must(err)
	_, err = reader.Exec(ctx, `SELECT count(*) FROM dictations`)
	w.must(err)
	files := upgraded(t, "---- tern: disable-tx ----\nDROP INDEX CONCURRENTLY IF EXISTS by_seen;\nCREATE INDEX CONCURRENTLY by_seen ON dictations (received_at);")
	migrate := func(ctx context.Context) <-chan error {
		done := make(chan error, 1)
		go func() {
			done <- postgres.MigrateFrom(ctx, w.admin, quiet, files, 20*time.Millisecond, 10*time.Millisecond, time.Minute)
		}()
		return done
	}
	half := func() bool {
		var n int
		w.must(w.conn(w.logins.Serve).QueryRow(ctx, `SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('by_seen') AND NOT indisvalid`).Scan(&n))
		return n > 0
	}
	cut, stop := context.WithCancel(ctx)
	first := migrate(cut)
	testkit.Until(t, 10*time.Second, "half an index stands", half)
	w.receive() // nobody waits for it
	stop()
	if err := <-first; err == nil {
		t.Fatal("a migration that was cut short says that it is done")
	}
	second := migrate(ctx)
	w.must(reader.Rollback(ctx))
	w.must(<-second)
	if half() {
		t.Error("the index is not valid")
	}
}
