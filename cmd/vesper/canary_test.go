package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/storage/postgres"
)

// uttered is a name that is said in the recording below, and that nobody hears of but those who may read the note.
const uttered = "Kessler"

// recording is the beginning of a recording of the corpus, in which the name falls.
func recording(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), uttered+".wav") // the file's name is the patient's, as people do
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", "../../testdata/dictations/psychiatry-mania/audio.ogg", "-t", "16", "-ac", "1", "-ar", "16000", path).CombinedOutput()
	if err != nil {
		t.Fatalf("cut the recording: %v %s", err, out)
	}
	return path
}

// TestANameThatIsSpokenStaysInTheNote takes a dictation that names its patient the whole way with the real engine, while
// everything that operators can look at is looked at, and finds the name nowhere but in the note.
func TestANameThatIsSpokenStaysInTheNote(t *testing.T) {
	t.Parallel()
	spans := receive(t)
	dir := folder(t)
	i := upIn(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + spans.url, "OTEL_BSP_SCHEDULE_DELAY=200"}, dir, "--demo", "--verbose")
	w := &watcher{T: t, installation: i, seen: map[string]string{}}
	physician, editor := i.as("dr.avery"), i.as(editorOf(t, dir))
	r, err := physician.Submit(t.Context(), recording(t), client.Submission{WorkType: "progress", Priority: "stat", ClientKey: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Until(t, 3*time.Minute, "the recording is drafted", func() bool {
		w.look()
		s, err := physician.Status(t.Context(), r.ID)
		if err != nil || s.State == "failed" || s.State == "rejected" {
			t.Fatalf("%+v %v", s, err)
		}
		return s.State == "drafted"
	})
	w.refused(physician, editor, r.ID)
	w.review(editor, r.ID)
	w.sign(physician, r.ID)
	w.look()
	w.status()
	spans.connect(t, r.ID)

	i.signal(2) // SIGINT: what is left of logs and spans comes out
	i.ends()
	w.seen["the terminal"] = i.out.String() + i.log.String()
	log, err := os.ReadFile(filepath.Join(dir, "logs", "vesper.log"))
	if err != nil || !strings.Contains(string(log), `"trace":"`) || !strings.Contains(i.log.String(), "level=DEBUG") && !strings.Contains(i.log.String(), `"level":"DEBUG"`) {
		t.Errorf("the log has no traces or no details: %v", err)
	}
	w.seen["the log"] = string(log)
	w.seen["the spans"] = spans.raw()
	for where, text := range w.seen {
		if at := strings.Index(text, uttered); at >= 0 {
			t.Errorf("%s holds the name: …%s…", where, text[max(0, at-200):min(len(text), at+100)])
		}
		if len(text) < 20 {
			t.Errorf("%s was not looked at", where)
		}
	}
	if len(w.seen) < 8 {
		t.Errorf("only %d places were looked at", len(w.seen))
	}
}

// editorOf is the login of the demo's editor.
func editorOf(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "secrets", "demo-logins"))
	var all []struct{ Role, Login string }
	if err != nil || json.Unmarshal(raw, &all) != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.Role == "editor" {
			return l.Login
		}
	}
	t.Fatal("there is no editor")
	return ""
}

// watcher looks where operators look.
type watcher struct {
	*testing.T
	*installation
	seen map[string]string
}

// look takes down what stands in Redis, in the metrics and in the tables that are no part of the note.
func (w *watcher) look() {
	w.T.Helper()
	stack, err := services.Attach(w.dir)
	if err != nil {
		w.T.Fatal(err)
	}
	o, err := redis.ParseURL(stack.RedisURL())
	if err != nil {
		w.T.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	for it := c.Scan(w.T.Context(), 0, "*", 1000).Iterator(); it.Next(w.T.Context()); {
		w.seen["Redis"] += it.Val() + " " + c.Dump(w.T.Context(), it.Val()).Val() + "\n"
	}
	w.seen["the metrics"] = get(w.T, w.metricsAddress())
	if !strings.Contains(w.seen["the metrics"], "vesper_pulse_up 1") {
		w.T.Error("the metrics do not show how things stand")
	}
	logins, err := postgres.LoginURLs(stack.PostgresURL(""), "vesper_main", "", "")
	if err != nil {
		w.T.Fatal(err)
	}
	database := logins.Owner
	for _, table := range []string{"jobs", "audit_events", "deliveries", "claims", "sessions"} {
		w.seen["the table "+table] = strings.Join(testkit.Column[string](w.T, database, fmt.Sprintf(`SELECT row_to_json(x)::text FROM %s x`, table)), "\n") + strings.Repeat(" ", 20)
	}
}

func (w *watcher) metricsAddress() string {
	w.T.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, "run", "whereabouts"))
	var at struct{ Metrics string }
	if err != nil || json.Unmarshal(raw, &at) != nil || at.Metrics == "" {
		w.T.Fatalf("nobody says where the metrics are: %s %v", raw, err)
	}
	return at.Metrics
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// refused does what people do wrong with a name in hand; the answers must not repeat it.
func (w *watcher) refused(physician, editor *client.Client, id string) {
	w.T.Helper()
	path := "/api/v1/dictations/" + id
	for what, err := range map[string]error{
		"an unknown kind":    physician.Do(w.T.Context(), "POST", path+"/bind", map[string]any{"work_type": uttered}, nil),
		"an unknown field":   physician.Do(w.T.Context(), "POST", path+"/bind", map[string]any{uttered: uttered}, nil),
		"a wrong password":   physician.Do(w.T.Context(), "POST", path+"/signature", map[string]any{"version": 1, "content_hash": uttered, "password": uttered}, nil),
		"an unclaimed note":  editor.Do(w.T.Context(), "PUT", path+"/note", map[string]any{"base": 1, "sections": []section{{"plan", uttered}}}, nil),
		"an unknown section": editor.Do(w.T.Context(), "PUT", path+"/note", map[string]any{"base": 1, "sections": []section{{uttered, uttered}}}, nil),
		"no such route":      editor.Do(w.T.Context(), "GET", "/api/v1/"+uttered, nil, nil),
		"no such dictation":  editor.Do(w.T.Context(), "GET", "/api/v1/dictations/"+uttered, nil, nil),
	} {
		if err == nil {
			w.T.Errorf("%s is taken", what)
			continue
		}
		w.seen["problems"] += what + ": " + err.Error() + " " + fault.As(err).Public + "\n"
	}
	w.seen["error pages"] = get(w.T, w.url+"/api/v1/"+uttered) + get(w.T, w.url+"/static/"+uttered) + get(w.T, w.url+"/healthz") // which is a detail of the log
}

type section struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// noteView is what this test reads of a note.
type noteView struct {
	ContentHash string `json:"content_hash"`
	Version     struct {
		Number   int `json:"number"`
		Document struct {
			Sections []struct {
				Runs []struct {
					Text string `json:"text"`
				} `json:"runs"`
			} `json:"sections"`
			Flags []struct {
				ID      string          `json:"id"`
				Settled json.RawMessage `json:"settled"`
			} `json:"flags"`
			Blanks []json.RawMessage `json:"blanks"`
		} `json:"document"`
	} `json:"version"`
}

// review claims the note, sees that the name stands in it, binds a patient, settles what is doubted and sends it.
func (w *watcher) review(editor *client.Client, id string) {
	w.T.Helper()
	ctx, path := w.T.Context(), "/api/v1/dictations/"+id
	do := func(method, path string, in, out any) {
		w.T.Helper()
		if err := editor.Do(ctx, method, path, in, out); err != nil {
			w.T.Fatalf("%s %s: %v", method, path, err)
		}
	}
	do("POST", path+"/claim", map[string]string{}, nil)
	var n noteView
	do("GET", path, nil, &n)
	if text := fmt.Sprint(n.Version.Document.Sections); !strings.Contains(text, uttered) {
		w.T.Fatalf("the engine did not hear the name: %s", text)
	}
	var found struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	do("GET", "/api/v1/patients?search=ben", nil, &found)
	if len(found.Items) == 0 {
		w.T.Fatal("there are no patients")
	}
	do("POST", path+"/bind", map[string]any{"patient": found.Items[0].ID, "work_type": "progress"}, nil)
	v := n.Version
	for _, f := range n.Version.Document.Flags {
		if s := string(f.Settled); s == "" || s == "null" {
			do("POST", path+"/flags/"+f.ID+"/settle", map[string]any{"base": v.Number, "how": "heard as written"}, &v)
		}
	}
	do("POST", path+"/send", map[string]any{"version": v.Number}, nil)
}

// sign signs and waits for the EHR.
func (w *watcher) sign(physician *client.Client, id string) {
	w.T.Helper()
	ctx, path := w.T.Context(), "/api/v1/dictations/"+id
	var n noteView
	if err := physician.Do(ctx, "GET", path+"/signature-preview", nil, &n); err != nil {
		w.T.Fatal(err)
	}
	err := physician.Do(ctx, "POST", path+"/signature", map[string]any{
		"version": n.Version.Number, "content_hash": n.ContentHash, "password": w.password("dr.avery"),
	}, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	if _, err := physician.Await(ctx, id, "delivered"); err != nil {
		w.T.Fatal(err)
	}
}

// status asks at the terminal.
func (w *watcher) status() {
	w.T.Helper()
	r := run(w.T, nil, "status", "--data", w.dir)
	r.want(w.T, 0, "Nothing needs a person.", "PostgreSQL ok", "Redis ok", "object store ok", "EHR ok", "× real time", "worker ")
	as := run(w.T, nil, "status", "--data", w.dir, "--json")
	as.want(w.T, 0)
	var out struct {
		Needs  []string `json:"needs_a_person"`
		Engine struct {
			Speed float64 `json:"speed"`
		} `json:"engine"`
	}
	if err := json.Unmarshal([]byte(as.out), &out); err != nil || len(out.Needs) != 0 || out.Engine.Speed <= 0 {
		w.T.Errorf("status as JSON: %s %v", as.out, err)
	}
	w.seen["vesper status"] = r.out + r.errOut + as.out + as.errOut
}
