package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/notify"
)

// receiver is a real HTTP server that checks signatures as docs/turnaround.md tells receivers to.
type receiver struct {
	*httptest.Server
	secret string
	status atomic.Int64
	hang   atomic.Bool
	got    chan pushed
}

type pushed struct {
	id, body string
	valid    bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan pushed, 16)}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	if r.hang.Load() {
		<-req.Context().Done()
		return
	}
	id, at := req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp")
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	r.got <- pushed{id, string(body), hmac.Equal([]byte(want), []byte(req.Header.Get("webhook-signature")))}
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(int(r.status.Load()))
}

func hooks(t *testing.T, allow ...string) *notify.Hooks {
	t.Helper()
	h, err := notify.NewHooks(notify.HookConfig{Key: []byte("0123456789abcdef0123456789abcdef"), Allow: allow, Base: "https://vesper.example"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// toHook is a message for a receiver, whose secret it then knows.
func toHook(h *notify.Hooks, r *receiver, path string) pipeline.Message {
	m, hook := message(), uuid.Must(uuid.NewV7())
	m.Channel, m.Address, m.WebhookID, m.URL = pipeline.ByWebhook, "", &hook, r.URL+path
	r.secret = h.Secret(hook)
	return m
}

func TestAWebhookIsSignedAndKeepsItsID(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	h := hooks(t, r.Listener.Addr().String())
	m := toHook(h, r, "/in")
	for range 2 {
		if err := h.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		p := <-r.got
		if !p.valid || p.id != "msg_"+m.ID.String() {
			t.Errorf("%+v", p)
		}
		var e struct {
			Type string `json:"type"`
			Data struct {
				Rule, Say, State, Priority, URL string
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(p.body), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type != "dictation.escalated" || e.Data.Rule != "overdue" || e.Data.State != "in_review" || e.Data.URL != "https://vesper.example/dictations/"+m.DictationID.String() {
			t.Errorf("body %s", p.body)
		}
	}
	r.secret = h.Secret(uuid.Must(uuid.NewV7()))
	if err := h.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if p := <-r.got; p.valid {
		t.Error("the secret of another webhook fits")
	}
}

func TestWhatAReceiverAnswersDecidesWhetherItIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	h := hooks(t, r.Listener.Addr().String())
	m := toHook(h, r, "/in")
	for status, c := range map[int]struct {
		code  string
		again bool
	}{
		500: {"webhook_refused", true}, 429: {"webhook_refused", true}, 401: {"webhook_refused", true},
		302: {"webhook_redirected", false}, 307: {"webhook_redirected", false}, 410: {"webhook_gone", false},
	} {
		r.status.Store(int64(status))
		err := h.Send(t.Context(), m)
		<-r.got
		if err == nil || fault.As(err).Code != c.code || fault.Retryable(err) != c.again {
			t.Errorf("%d: %v", status, err)
		}
	}
	if len(r.got) != 0 {
		t.Error("a redirect was followed")
	}
	r.hang.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := h.Send(ctx, m); !fault.Retryable(err) {
		t.Errorf("a receiver that hangs: %v", err)
	}
	r.CloseClientConnections()
	r.Close()
	if err := h.Send(t.Context(), m); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a receiver that is away: %v", err)
	}
}

func TestAWebhookReachesNothingInsideTheHouse(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	h := hooks(t)
	m := toHook(h, r, "/in")
	if err := h.Send(t.Context(), m); fault.KindOf(err) != fault.Invalid {
		t.Errorf("plain http: %v", err)
	}
	for _, url := range []string{
		strings.Replace(r.URL, "http://", "https://", 1), "https://localhost:1/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/",
		"https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://[64:ff9b::a00:1]/",
	} {
		m.URL = url
		if err := h.Send(t.Context(), m); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: %v", url, err)
		}
	}
	open := hooks(t, "169.254.169.254")
	m.URL = "http://169.254.169.254/latest"
	if err := open.Send(t.Context(), m); err == nil || !strings.Contains(err.Error(), "link-local") {
		t.Errorf("link-local, allowed by name: %v", err)
	}
	if len(r.got) != 0 {
		t.Error("something arrived")
	}
}

func TestAddressesOfWebhooksAreChecked(t *testing.T) {
	t.Parallel()
	h := hooks(t, "inside.example", "other.example:8080")
	for url, good := range map[string]bool{
		"https://hooks.example/in": true, "http://hooks.example/in": false, "http://inside.example/in": true, "http://inside.example:99/in": true,
		"http://other.example:8080/": true, "http://other.example/": false, "https://user:pass@hooks.example/": false, "https://hooks.example/#x": false,
		"ftp://hooks.example/": false, "https:///x": false, "hooks.example": false, "": false, "https://" + strings.Repeat("a", 600): false,
	} {
		if err := h.Check(url); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := notify.NewHooks(notify.HookConfig{Key: []byte("short")}); err == nil {
		t.Error("a short key signs")
	}
}
