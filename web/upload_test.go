package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/web"
)

// form writes a multipart body: the pairs first, then the file, then more pairs.
func form(t testing.TB, file []byte, name string, before, after map[string]string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	write := func(fields map[string]string) {
		for k, v := range fields {
			if err := m.WriteField(k, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(before)
	if file != nil {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="file"; filename="`+name+`"`)
		h.Set("Content-Type", "audio/wav")
		part, err := m.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(file); err != nil {
			t.Fatal(err)
		}
	}
	write(after)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, m.FormDataContentType()
}

func (c *client) submit(file []byte, name string, before, after map[string]string) answer {
	c.w.Helper()
	body, kind := form(c.w, file, name, before, after)
	return c.do("POST", "/api/v1/dictations", body, "Content-Type", kind)
}

// slowUpload is an upload whose end is held back.
type slowUpload struct {
	cookie string
	end    func()
	done   chan answer
}

func startUpload(c *client, file []byte) *slowUpload {
	c.w.Helper()
	body, kind := form(c.w, file, "a.wav", nil, nil)
	raw, err := io.ReadAll(body)
	c.w.must(err)
	pr, pw := io.Pipe()
	u := &slowUpload{done: make(chan answer, 1)}
	for _, k := range c.http.Jar.Cookies(mustURL(c.w, c.w.server.URL)) {
		u.cookie = k.Name + "=" + k.Value
	}
	go func() { u.done <- c.do("POST", "/api/v1/dictations", pr, "Content-Type", kind) }()
	_, err = pw.Write(raw[:len(raw)/2])
	c.w.must(err)
	u.end = func() { _, _ = pw.Write(raw[len(raw)/2:]); pw.Close() }
	return u
}

func (u *slowUpload) finish() answer {
	u.end()
	return <-u.done
}

func TestARecordingIsReceivedWithItsFieldsInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	a := c.submit(file, "visit.wav", map[string]string{"priority": "stat"}, map[string]string{"patient": "T-1001", "work_type": "progress"}).want(201)
	sum := sha256.Sum256(file)
	if a.field("sha256") != hex.EncodeToString(sum[:]) || a.field("bytes") != float64(len(file)) || a.field("state") != "queued" || a.field("duplicate") != false {
		t.Fatalf("receipt %s", a.body)
	}
	d := c.get("/api/v1/dictations/" + a.field("id").(string)).want(200)
	if d.field("priority") != "stat" || d.field("patient").(map[string]any)["mrn"] != "T-1001" || d.field("has_audio") != true {
		t.Fatalf("detail %s", d.body)
	}
	if left := w.spoolFiles(); len(left) != 0 {
		t.Errorf("left in the spool: %v", left)
	}
}

func TestTheSameBytesOrTheSameKeyAgainIsTheSameDictation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	first := c.submit(file, "a.wav", map[string]string{"client_key": "phone-1"}, nil).want(201)
	for _, key := range []string{"phone-1", ""} {
		again := c.submit(file, "a.wav", map[string]string{"client_key": key}, nil).want(200)
		if again.field("id") != first.field("id") || again.field("duplicate") != true {
			t.Errorf("key %q: %s", key, again.body)
		}
	}
	c.submit(tone(), "a.wav", map[string]string{"client_key": "phone-1"}, nil).problem(409, "client_key_reused")
}

func TestWhatIsNoRecordingIsRefusedWithWordsThatHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.MaxUpload = 100_000 })
	c := w.as("physician")
	for name, tc := range map[string]struct {
		file   []byte
		fields map[string]string
		status int
		code   string
	}{
		"no file":             {nil, nil, 422, "audio_empty"},
		"an empty file":       {[]byte{}, nil, 422, "audio_empty"},
		"a file over the cap": {make([]byte, 100_001), nil, 413, "audio_too_large"},
		"a misspelt field":    {tone(), map[string]string{"patientt": "T-1001"}, 422, "field_unknown"},
		"a long field":        {tone(), map[string]string{"client_key": strings.Repeat("x", 501)}, 422, "field_too_long"},
		"a strange priority":  {tone(), map[string]string{"priority": "asap"}, 422, "priority_invalid"},
		"an unknown patient":  {tone(), map[string]string{"patient": "T-404"}, 422, "patient_unknown"},
		"an unknown author":   {tone(), map[string]string{"author": "dr-nobody"}, 422, "author_unknown"},
		"somebody else's":     {tone(), map[string]string{"author": w.people["other"].ID.String()}, 403, "forbidden"},
	} {
		a := c.submit(tc.file, "a.wav", tc.fields, nil)
		t.Log(name)
		a.problem(tc.status, tc.code)
	}
	for name, file := range map[string][]byte{"text named .wav": []byte("Dear colleague, this is no sound."), "one byte": {'R'}} {
		a := c.submit(file, "a.wav", nil, nil)
		if a.status != 415 && a.status != 422 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		t.Log(name, a.field("code"), a.field("detail"))
	}
	c.do("POST", "/api/v1/dictations", strings.NewReader("{}"), "Content-Type", "application/json").problem(415, "multipart_expected")
	c.do("POST", "/api/v1/dictations", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"),
		"Content-Type", "multipart/form-data; boundary=x").problem(422, "upload_cut")
	if n := len(c.list(t)); n != 0 {
		t.Errorf("%d dictations came into being", n)
	}
	if left := w.spoolFiles(); len(left) != 0 {
		t.Errorf("left in the spool: %v", left)
	}
}

func (c *client) list(t testing.TB) []any {
	t.Helper()
	return c.get("/api/v1/dictations").want(200).field("items").([]any)
}

// faulty is the service with a Submit that fails as often as told.
type faulty struct {
	web.Service
	failures chan error
}

func (f *faulty) Submit(ctx context.Context, a access.Actor, sub pipeline.Submission) (pipeline.Receipt, error) {
	select {
	case err := <-f.failures:
		_, _ = io.Copy(io.Discard, sub.Body)
		return pipeline.Receipt{}, err
	default:
		return f.Service.Submit(ctx, a, sub)
	}
}

// storeDown makes the next n submissions fail as if the object store were away.
func storeDown(n int) option {
	return func(w *world) {
		f := &faulty{w.svc, make(chan error, n)}
		for range n {
			f.failures <- fault.New(fault.Unavailable, "object_store_unavailable", "The store for recordings cannot be reached. Keep yours; try again in a moment.")
		}
		w.service = f
	}
}

func TestNothingIsAcknowledgedWhileTheObjectStoreIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storeDown(1))
	c := w.as("physician")
	file := tone()
	a := c.submit(file, "a.wav", nil, nil).problem(503, "object_store_unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	c.submit(file, "a.wav", nil, nil).want(201)
}
