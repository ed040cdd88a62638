package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"vesper/internal/fault"
)

func TestAFaultIsFoundThroughWrappings(t *testing.T) {
	t.Parallel()
	inner := fault.Wrap(fs.ErrNotExist, fault.NotFound, "model_missing", "Fetch the model.")
	err := fmt.Errorf("open recogniser: %w", fmt.Errorf("ensure: %w", inner))
	if f := fault.As(err); f != inner || fault.KindOf(err) != fault.NotFound {
		t.Errorf("found %+v", f)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is hidden from the program")
	}
	if !errors.Is(err, fault.New(fault.NotFound, "model_missing", "")) || errors.Is(err, fault.New(fault.NotFound, "another", "")) {
		t.Error("faults do not compare by their code")
	}
}

func TestWhatIsNoFaultSaysNothingToPeople(t *testing.T) {
	t.Parallel()
	secret := errors.New("row of Quillfeather, Lydia")
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		code string
	}{
		"anything":                {secret, fault.Internal, "internal"},
		"a cancelled request":     {fmt.Errorf("copy: %w", context.Canceled), fault.Canceled, "canceled"},
		"a deadline":              {fmt.Errorf("copy: %w", context.DeadlineExceeded), fault.Unavailable, "timeout"},
		"a fault beats its cause": {fault.Wrap(context.Canceled, fault.Conflict, "x", "y"), fault.Conflict, "x"},
	} {
		f := fault.As(c.err)
		if f.Kind != c.kind || f.Code != c.code || f.Public == "" || strings.Contains(f.Public, "Quillfeather") {
			t.Errorf("%s: %+v", name, f)
		}
		if !errors.Is(f, c.err) && !errors.As(c.err, new(*fault.Error)) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
	if fault.As(nil) != nil || fault.KindOf(nil) != "" {
		t.Error("no error has become one")
	}
}

func TestTheLogGetsTheCauseAndPeopleDoNot(t *testing.T) {
	t.Parallel()
	f := fault.Wrap(errors.New("dial tcp: refused"), fault.Unavailable, "queue_unavailable", "The queue is away.")
	if got := f.Error(); got != "queue_unavailable: dial tcp: refused" {
		t.Errorf("for the log: %s", got)
	}
	if got := fault.New(fault.Invalid, "audio_empty", "The recording is empty.").Error(); got != "audio_empty: The recording is empty." {
		t.Errorf("without a cause: %s", got)
	}
}

func TestOnlyWhatCanPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	again := map[fault.Kind]bool{fault.Unavailable: true, fault.Internal: true, fault.Canceled: true}
	for _, k := range []fault.Kind{
		fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooLarge, fault.Unsupported,
		fault.Unavailable, fault.Canceled, fault.Internal,
	} {
		if got := fault.Retryable(fmt.Errorf("x: %w", fault.New(k, "c", "p"))); got != again[k] {
			t.Errorf("%s: %v", k, got)
		}
	}
	if fault.Retryable(nil) || !fault.Retryable(errors.New("unforeseen")) {
		t.Error("no error is tried again, or an unforeseen one is not")
	}
}
