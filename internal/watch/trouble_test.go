package watch_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/internal/watch"
	"vesper/web"
)

func TestAServerThatIsAwayIsWaitedForAndToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wire.set(nil, cut)
	w.put("visit.wav", tone(8000))
	r := w.watch(w.options())
	r.tells("visit.wav waiting The server cannot be reached")
	w.wire.set(nil, nil)
	r.tells("visit.wav moved")

	w.wire.set(nil, cut)
	w.put("later.wav", tone(8000))
	o := w.options()
	o.Once = true
	r.stop()
	_, _ = r.ends()
	if result, err := w.watch(o).ends(); fault.As(err).Code != "server_unreachable" || result.Left != 1 {
		t.Errorf("once, without a server: %+v %v", result, err)
	}
	if got := w.lies(""); len(got) != 1 {
		t.Errorf("left %v", got)
	}
}

func TestAServerThatAsksForAPauseGetsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("a.wav", tone(4000))
	w.put("b.wav", tone(4000))
	var refused, early atomic.Int64
	w.wire.set(nil, func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/uploads" {
			return false
		}
		now := time.Now().UnixMilli()
		if first := refused.Load(); first != 0 {
			if now-first < 1900 {
				early.Add(1)
			}
			return false
		}
		refused.Store(now)
		rw.Header().Set("Retry-After", "2")
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusServiceUnavailable)
		_, _ = rw.Write([]byte(`{"code":"busy","detail":"About two seconds."}`))
		return true
	})
	o := w.options()
	o.Parallel = 1
	o.Once = true
	if r, err := w.watch(o).ends(); err != nil || r.Received != 2 {
		t.Errorf("%+v %v", r, err)
	}
	if early.Load() != 0 {
		t.Error("it came back before the time")
	}
}

func TestAnUploadGoesOnBehindWhatTheServerHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(6 << 20) // 12 MiB: three pieces
	w.put("long.wav", content)
	w.wire.set(nil, func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && r.Header.Get("Upload-Offset") != "0" {
			w.restart() // the first piece is here, then the server goes and comes back
			panic(http.ErrAbortHandler)
		}
		return false
	})
	r := w.watch(w.options())
	r.tells("long.wav waiting")
	r.tells("long.wav moved")
	if n := w.wire.carried(); n != int64(len(content)) {
		t.Errorf("%d bytes were sent of %d", n, len(content))
	}
	if n := w.wire.count("POST /api/v1/uploads"); n != 1 {
		t.Errorf("%d uploads were begun", n)
	}
}

func TestAnUploadThatTheServerRemovedBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("long.wav", tone(6<<20))
	w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && r.Header.Get("Upload-Offset") != "0" {
			entries, err := os.ReadDir(w.config.SpoolDir)
			w.must(err)
			for _, e := range entries {
				w.must(os.Remove(w.config.SpoolDir + "/" + e.Name()))
			}
			w.wire.set(nil, nil)
			panic(http.ErrAbortHandler)
		}
		return false
	})
	w.watch(w.options()).tells("long.wav moved")
	if n := w.wire.count("POST /api/v1/uploads"); n != 2 || len(w.dictations()) != 1 {
		t.Errorf("%d uploads, %d dictations", n, len(w.dictations()))
	}
}

func TestAnEndedSessionIsOpenedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	r := w.watch(o)
	w.put("first.wav", tone(4000))
	r.tells("first.wav moved")
	w.must(o.Session.API.Do(t.Context(), http.MethodDelete, "/api/v1/session", nil, nil))
	w.put("second.wav", tone(4000))
	r.tells("second.wav moved")
	if n := w.wire.count("POST /api/v1/session"); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("visit.wav", tone(4000))
	o := w.options()
	o.Session.Password = func() (string, error) { return "not this one", nil }
	_, err := w.watch(o).ends()
	if f := fault.As(err); f.Code != watch.CodePassword || !strings.Contains(f.Public, "locked out") {
		t.Errorf("%v", err)
	}
	if n := w.wire.count("POST /api/v1/session"); n != 1 {
		t.Errorf("%d attempts", n)
	}
	if got := w.lies(""); len(got) != 1 {
		t.Errorf("left %v", got)
	}

	// It is changed while the watcher runs.
	good := true
	o.Session = w.options().Session
	o.Session.Password = func() (string, error) {
		if good {
			good = false
			return password, nil
		}
		return "not this one", nil
	}
	w.wire.set(nil, func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v1/uploads") {
			rw.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	})
	if _, err := w.watch(o).ends(); fault.As(err).Code != watch.CodePassword {
		t.Errorf("%v", err)
	}
	if n := w.wire.count("POST /api/v1/session"); n > 4 { // two uploads at a time may each notice
		t.Errorf("%d attempts", n)
	}
}

func TestWhatAPersonHasToMendIsHeldAndTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("visit.wav", tone(4000))
	w.put("vesper-watch.yaml", []byte("work_type: nonsense\n"))
	r := w.watch(w.options())
	r.tells("visit.wav held")
	r.stop()
	_, _ = r.ends()
	w.put("vesper-watch.yaml", []byte("work_type: consult\n"))
	w.watch(w.options()).tells("visit.wav moved")
	if d := w.dictations(); len(d) != 1 || d[0]["work_type"] != "consult" {
		t.Errorf("%v", d)
	}
}

func TestTheStoreIsDownForAMomentAndNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(8000)
	w.put("visit.wav", content)
	var n atomic.Int64
	w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/finish") && n.Add(1) <= 2 {
			panic(http.ErrAbortHandler) // received, and the answer is lost on the way
		}
		return false
	})
	w.watch(w.options()).tells("visit.wav moved")
	if d := w.dictations(); len(d) != 1 || w.wire.carried() != int64(len(content)) {
		t.Errorf("%d dictations, %d bytes of %d", len(d), w.wire.carried(), len(content))
	}
}

func TestAnUploadThatIsLostAfterItsPatientWasLeftOutIsBegunAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("vesper-watch.yaml", []byte("patterns: ['^(?P<patient>.+)$']\n"))
	w.put("T-1001.wav", tone(4000))
	var n atomic.Int64
	w.wire.set(nil, func(rw http.ResponseWriter, r *http.Request) bool {
		codes := []string{"patient_unknown", "upload_unknown"}
		at := int(n.Load())
		if at == len(codes) || r.Method != http.MethodPatch {
			return false
		}
		n.Add(1)
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(rw, `{"code":%q,"detail":"It is gone."}`, codes[at])
		return true
	})
	r := w.watch(w.options())
	r.tells("T-1001.wav moved")
	if told := r.told(); slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, "held") }) {
		t.Errorf("it was held: %v", told)
	}
	if d := w.dictations(); len(d) != 1 || d[0]["patient"] != nil {
		t.Errorf("%v", d)
	}
}

func TestTheServersRateLimitSlowsAnImportDownAndStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *web.Config) { c.Uploads = web.UploadLimits{Starts: 3} })
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.put(name+".wav", tone(400))
	}
	if r := w.once(w.options()); r.Received != 5 || r.Left != 0 {
		t.Errorf("%+v", r)
	}
}
