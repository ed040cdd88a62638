package postgres_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/storage/postgres"
)

func TestWhenPostgreSQLIsDownTheStoreSaysSoAndRecoversByItself(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t, "postgres")
	if err := prepare(ctxb(), own.PostgresURL()); err != nil {
		t.Fatal(err)
	}
	w := settle(t, own.PostgresURL())
	s := w.serve.Sessions("person")
	read := func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.Patient(ctx, w.patient.ID); return err }
	w.in(read)
	own.StopPostgres(true)
	for range 3 { // the pool's connections break one by one
		wantFault(t, w.try(read), fault.Unavailable, "database_unavailable")
	}
	wantFault(t, w.serve.Ping(ctxb()), fault.Unavailable, "database_unavailable")
	_, _, err := s.FindCtx(ctxb(), "token")
	wantFault(t, err, fault.Unavailable, "database_unavailable")
	_, err = w.work.Dispatch(ctxb(), 1, (&bells{}).ring)
	wantFault(t, err, fault.Unavailable, "database_unavailable")
	_, err = postgres.Open(ctxb(), w.logins.Serve, quiet)
	wantFault(t, err, fault.Unavailable, "database_unavailable")
	wantFault(t, postgres.Migrate(ctxb(), w.admin, quiet), fault.Unavailable, "database_unavailable")
	own.StartPostgres()
	w.in(read)
	if v, err := w.serve.Version(ctxb()); v == "" || err != nil {
		t.Errorf("version %q, %v", v, err)
	}
}

func TestAConnectionThatBreaksInATransactionIsUnavailableNotLost(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, _ := w.receive()
	err := w.try(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Failed, "x"))
		_, err := w.raw(w.admin, w.practice, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		w.must(err)
		_, err = tx.Dictation(ctx, d.ID)
		return err
	})
	wantFault(t, err, fault.Unavailable, "database_unavailable")
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Dictation(ctx, d.ID)
		if got.State != pipeline.Queued {
			t.Errorf("half a transaction was kept: %s", got.State)
		}
		return err
	})
}

func TestADeadlockIsRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, _ := w.receive()
	b, _ := w.receive()
	var met, done sync.WaitGroup
	met.Add(2)
	for _, pair := range [][2]pipeline.Dictation{{a, b}, {b, a}} {
		once := sync.OnceFunc(func() { met.Done(); met.Wait() })
		done.Go(func() {
			err := w.try(func(ctx context.Context, tx pipeline.Tx) error {
				if _, err := tx.DictationForUpdate(ctx, pair[0].ID); err != nil {
					return err
				}
				once() // both hold their first row now
				_, err := tx.DictationForUpdate(ctx, pair[1].ID)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

func TestWhatFnReturnsComesBackAndUndoesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.receive()
	fail := func(ctx context.Context, tx pipeline.Tx) {
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Failed, "x"))
	}
	mine := errors.New("mine")
	if err := w.try(func(ctx context.Context, tx pipeline.Tx) error { fail(ctx, tx); return mine }); !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = w.try(func(ctx context.Context, tx pipeline.Tx) error { fail(ctx, tx); panic("mine") })
	}()
	ctx, cancel := context.WithCancel(ctxb())
	err := w.serve.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		fail(ctx, tx)
		cancel()
		_, err := tx.Dictation(ctx, d.ID)
		return err
	})
	if fault.KindOf(err) != fault.Canceled {
		t.Errorf("after a cancel: %v", err)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Dictation(ctx, d.ID)
		if got.State != pipeline.Queued {
			t.Errorf("the state is %s", got.State)
		}
		return err
	})
}

func TestAnUnreadableURLIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://user:secret@host:port:1/x", "secret=secret"} {
		_, err := postgres.Open(ctxb(), url, quiet)
		if f := fault.As(err); err == nil || f.Kind != fault.Invalid && f.Kind != fault.Unavailable {
			t.Errorf("%v", err)
		}
		wantFault(t, postgres.Migrate(ctxb(), "postgres://user:secret@host:port:1/x", quiet), fault.Invalid, "database_url")
	}
}

func TestNobodyListeningIsUnavailable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(ctxb(), "postgres://vesper_serve:x@"+addr+"/vesper", quiet)
	wantFault(t, err, fault.Unavailable, "database_unavailable")
}
