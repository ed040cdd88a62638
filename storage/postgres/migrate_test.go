package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/postgres"
)

func TestMigrationsGoUpDownAndUpAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := testkit.Postgres(t)
	if err := postgres.Provision(ctx, url, dbName(url), servePassword, workPassword); err != nil {
		t.Fatal(err)
	}
	empty := schema(t, url)
	if err := postgres.Migrate(ctx, url, quiet); err != nil {
		t.Fatal(err)
	}
	full := schema(t, url)
	if full == empty {
		t.Fatal("migrating made nothing")
	}
	if err := postgres.MigrateTo(ctx, url, quiet, 0); err != nil {
		t.Fatal(err)
	}
	if left := schema(t, url); left != "schema_version r\n" {
		t.Fatalf("going down leaves:\n%s", left)
	}
	if err := postgres.Migrate(ctx, url, quiet); err != nil {
		t.Fatal(err)
	}
	if again := schema(t, url); again != full {
		t.Fatalf("the second time differs:\n%s\nfirst:\n%s", again, full)
	}
}

// schema lists what stands in the public schema: relations, functions, triggers, policies and grants.
func schema(t *testing.T, url string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var out string
	err = conn.QueryRow(ctx, `
		SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C") || E'\n', '') FROM (
			SELECT relname || ' ' || relkind::text || coalesce(' ' || (CASE WHEN relname <> 'schema_version' THEN relacl::text END), '') AS line
			FROM pg_class WHERE relnamespace = 'public'::regnamespace
			UNION ALL SELECT p.oid::regprocedure || ' ' || coalesce(proacl::text, '') FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT polrelid::regclass || ' ' || polname FROM pg_policy
			UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace) x`).Scan(&out)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSeveralMayProvisionAndMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = prepare(context.Background(), url) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestProvisioningThroughSeveralDatabasesOfOneClusterAtOnceSucceeds(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 6 {
		url := testkit.Postgres(t)
		group.Go(func() {
			for range 5 {
				if err := postgres.Provision(context.Background(), url, dbName(url), servePassword, workPassword); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestProvisioningMakesADatabaseThatItsLoginsCanUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	own := testkit.Own(t, "postgres")
	// A managed server gives no superuser: who provisions may make roles and databases, and no more.
	admin := testkit.Login(t, own.PostgresURL(), "clinic_admin")
	conn, err := pgx.Connect(ctx, own.PostgresURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `ALTER ROLE clinic_admin CREATEROLE CREATEDB`); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{admin, admin, own.PostgresURL()} { // from the second time on everything is there
		if err := postgres.Provision(ctx, who, "clinic", servePassword, workPassword); err != nil {
			t.Fatal(err)
		}
	}
	logins, err := postgres.LoginURLs(admin, "clinic", servePassword, workPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(ctx, logins.Owner, quiet); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{logins.Serve, logins.Work} {
		s, err := postgres.Open(ctx, url, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequireSchema(ctx); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	wrong, err := postgres.LoginURLs(admin, "clinic", "wrong", "wrong")
	if err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(ctx, wrong.Serve, quiet)
	wantFault(t, err, fault.Unavailable, "database_unavailable")
}

func TestASuperuserIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := postgres.Open(context.Background(), w.admin, quiet)
	wantFault(t, err, fault.Invalid, "database_role_too_powerful")
}

func TestASchemaThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	w.must(w.serve.RequireSchema(ctx))
	w.super(`UPDATE schema_version SET version = version + 1`, `UPDATE schema_compat SET oldest_program = (SELECT version FROM schema_version)`)
	wantFault(t, w.serve.RequireSchema(ctx), fault.Invalid, "schema_new")
	wantFault(t, postgres.Migrate(ctx, w.admin, quiet), fault.Invalid, "schema_new")
	w.super(`UPDATE schema_version SET version = 1`)
	wantFault(t, w.serve.RequireSchema(ctx), fault.Invalid, "schema_old")
}

func TestADatabaseThatWasNeverMigratedIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := testkit.Postgres(t)
	if err := postgres.Provision(ctx, url, dbName(url), servePassword, workPassword); err != nil {
		t.Fatal(err)
	}
	logins, err := postgres.LoginURLs(url, dbName(url), servePassword, workPassword)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(ctx, logins.Serve, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantFault(t, s.RequireSchema(ctx), fault.Invalid, "schema_old")
}
