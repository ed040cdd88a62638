package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"vesper/ehr/sandbox"
)

type ehrServer struct {
	t   *testing.T
	srv *httptest.Server
	s   *sandbox.Server
}

func open(t *testing.T, opt sandbox.Config) ehrServer {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	s, err := sandbox.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return ehrServer{t, srv, s}
}

func (e ehrServer) do(method, path, body string, header ...string) (*http.Response, map[string]any) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.srv.URL+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	if res.Header.Get(sandbox.Header) != sandbox.Notice {
		e.t.Errorf("%s %s: answer is not labelled as sandbox", method, path)
	}
	var v map[string]any
	_ = json.Unmarshal(raw, &v) // pages are not JSON
	if v == nil {
		v = map[string]any{"page": string(raw)}
	}
	return res, v
}

func note(key, text string, change ...func(map[string]any)) string {
	d := map[string]any{
		"resourceType": "DocumentReference", "status": "current", "docStatus": "final",
		"identifier": []any{map[string]any{"system": "https://vesper.example.org/n", "value": key}},
		"type":       map[string]any{"coding": []any{map[string]any{"system": "http://loinc.org", "code": "11506-3"}}},
		"category":   []any{map[string]any{"coding": []any{map[string]any{"system": "c", "code": "clinical-note"}}}},
		"subject":    map[string]any{"reference": "Patient/p1", "display": "Fictional <b>Patient</b>"},
		"date":       "2026-01-05T10:00:00Z", "author": []any{map[string]any{"reference": "Practitioner/dr1"}},
		"content": []any{map[string]any{"attachment": map[string]any{
			"contentType": "text/plain; charset=utf-8",
			"data":        base64.StdEncoding.EncodeToString([]byte(text)),
		}}},
	}
	for _, c := range change {
		c(d)
	}
	raw, _ := json.Marshal(d)
	return string(raw)
}

func attachment(d map[string]any) map[string]any {
	return d["content"].([]any)[0].(map[string]any)["attachment"].(map[string]any)
}

const byKey = "If-None-Exist"

func TestConditionalCreateAnswers201Then200AndStoresOnce(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	cond := "identifier=https%3A%2F%2Fvesper.example.org%2Fn%7Ca"
	first, _ := e.do("POST", "/fhir/DocumentReference", note("a", "x"), byKey, cond)
	second, _ := e.do("POST", "/fhir/DocumentReference", note("a", "x"), byKey, cond)
	if first.StatusCode != 201 || second.StatusCode != 200 || first.Header.Get("Location") != second.Header.Get("Location") {
		t.Fatalf("%d then %d", first.StatusCode, second.StatusCode)
	}
	if got := first.Header.Get("Location"); got != e.srv.URL+"/fhir/DocumentReference/1/_history/1" {
		t.Fatalf("Location %q", got)
	}
	e.do("POST", "/fhir/DocumentReference", note("a", "x")) // without the condition
	third, outcome := e.do("POST", "/fhir/DocumentReference", note("a", "x"), byKey, cond)
	if third.StatusCode != 412 || outcome["resourceType"] != "OperationOutcome" {
		t.Fatalf("two matches: %d", third.StatusCode)
	}
	if bad, _ := e.do("POST", "/fhir/DocumentReference", note("a", "x"), byKey, "patient=p1"); bad.StatusCode != 400 {
		t.Fatalf("unknown condition: %d", bad.StatusCode)
	}
}

func TestTwentyParallelConditionalCreatesStoreOne(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	var wg sync.WaitGroup
	created := make(chan int, 20)
	for range 20 {
		wg.Go(func() {
			r, _ := e.do("POST", "/fhir/DocumentReference", note("p", "x"), byKey, "identifier=https://vesper.example.org/n|p")
			created <- r.StatusCode
		})
	}
	wg.Wait()
	close(created)
	counts := map[int]int{}
	for c := range created {
		counts[c]++
	}
	if counts[201] != 1 || counts[200] != 19 || e.s.Count("https://vesper.example.org/n", "p") != 1 {
		t.Fatalf("statuses %v", counts)
	}
}

func TestWhatServersShallCheckIsChecked(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	drop := func(k string) func(map[string]any) { return func(d map[string]any) { delete(d, k) } }
	attach := func(k string, v any) func(map[string]any) {
		return func(d map[string]any) { attachment(d)[k] = v }
	}
	cases := map[string]struct {
		change func(map[string]any)
		status int
	}{
		"no status":             {drop("status"), 422},
		"no type":               {drop("type"), 422},
		"no category":           {drop("category"), 422},
		"no subject":            {drop("subject"), 422},
		"no content":            {drop("content"), 422},
		"subject no patient":    {func(d map[string]any) { d["subject"] = map[string]any{"reference": "Group/1"} }, 422},
		"docStatus signed":      {func(d map[string]any) { d["docStatus"] = "signed" }, 422},
		"date without zone":     {func(d map[string]any) { d["date"] = "2026-01-05" }, 422},
		"unknown element":       {func(d map[string]any) { d["colour"] = "red" }, 422},
		"element of wrong type": {func(d map[string]any) { d["category"] = "clinical-note" }, 422},
		"no contentType":        {attach("contentType", ""), 422},
		"text without charset":  {attach("contentType", "text/plain"), 422},
		"html":                  {attach("contentType", "text/html; charset=utf-8"), 422},
		"no data":               {attach("data", ""), 422},
		"data not base64":       {attach("data", "%%%"), 422},
		"wrong size":            {attach("size", 2), 422},
		"wrong hash":            {attach("hash", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), 422},
		"other resource":        {func(d map[string]any) { d["resourceType"] = "Patient" }, 400},
		"right size":            {attach("size", 1), 201},
		"pdf":                   {attach("contentType", "application/pdf"), 201},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			res, v := e.do("POST", "/fhir/DocumentReference", note("v", "x", c.change))
			if res.StatusCode != c.status {
				t.Fatalf("%d, want %d: %v", res.StatusCode, c.status, v)
			}
		})
	}
	if res, _ := e.do("POST", "/fhir/DocumentReference", "{", "Content-Type", "application/fhir+json"); res.StatusCode != 400 {
		t.Errorf("broken JSON: %d", res.StatusCode)
	}
	if res, _ := e.do("POST", "/fhir/DocumentReference", note("v", "x"), "Content-Type", "text/plain"); res.StatusCode != 415 {
		t.Errorf("wrong media type: %d", res.StatusCode)
	}
	if res, _ := e.do("POST", "/fhir/DocumentReference", strings.Repeat(" ", 17<<20)); res.StatusCode != 413 {
		t.Errorf("17 MiB: %d", res.StatusCode)
	}
}

func TestSearchFindsByIdentifierAndPatientAndPages(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	for i := range 5 {
		e.do("POST", "/fhir/DocumentReference", note(fmt.Sprint("s", i), "x"))
	}
	for query, want := range map[string]float64{
		"identifier=https://vesper.example.org/n|s3": 1, "identifier=https://vesper.example.org/n|none": 0,
		"patient=p1": 5, "subject=Patient/p1": 5, "patient=p2": 0, "_id=1,2": 2, "patient=p1&_id=2": 1, "": 5,
	} {
		if _, b := e.do("GET", "/fhir/DocumentReference?"+query, ""); b["total"] != want {
			t.Errorf("%q: total %v, want %v", query, b["total"], want)
		}
	}
	_, b := e.do("GET", "/fhir/DocumentReference?patient=p1&_count=2&_offset=3", "")
	if n := len(b["entry"].([]any)); n != 2 {
		t.Errorf("last page has %d entries", n)
	}
	if res, _ := e.do("GET", "/fhir/DocumentReference?colour=red", ""); res.StatusCode != 400 {
		t.Errorf("unknown parameter: %d", res.StatusCode)
	}
}

func TestReferencedPeopleResolveAndPutOnesKeepTheirVersions(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	if res, _ := e.do("GET", "/fhir/Patient/p1", ""); res.StatusCode != 404 {
		t.Fatalf("unknown patient: %d", res.StatusCode)
	}
	e.do("POST", "/fhir/DocumentReference", note("a", "x"))
	if res, p := e.do("GET", "/fhir/Patient/p1", ""); res.StatusCode != 200 || p["meta"] == nil {
		t.Fatalf("referenced patient: %d %v", res.StatusCode, p)
	}
	first, _ := e.do("PUT", "/fhir/Patient/p1", `{"resourceType":"Patient","id":"p1","gender":"female"}`)
	second, _ := e.do("PUT", "/fhir/Patient/p1", `{"resourceType":"Patient","id":"p1","gender":"male"}`)
	_, old := e.do("GET", "/fhir/Patient/p1/_history/1", "")
	_, now := e.do("GET", "/fhir/Patient/p1", "")
	if first.StatusCode != 201 || second.StatusCode != 200 || old["gender"] != "female" || now["gender"] != "male" {
		t.Fatalf("%d %d %v %v", first.StatusCode, second.StatusCode, old, now)
	}
	if res, _ := e.do("PUT", "/fhir/Patient/p1", `{"resourceType":"Patient","id":"p2"}`); res.StatusCode != 400 {
		t.Errorf("id in body differs: %d", res.StatusCode)
	}
	if res, _ := e.do("PUT", "/fhir/DocumentReference/1", note("a", "y")); res.StatusCode == 200 {
		t.Error("a document was overwritten")
	}
}

// What was acknowledged survives kill -9: a torn last line is cut off, whole lines stay.
func TestDocumentsSurviveARestartAndATornWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "Größe 1,8 m & <b>37</b> °C\r\n"
	first, err := sandbox.Open(sandbox.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/fhir/DocumentReference", strings.NewReader(note("a", text)))
	req.Header.Set("Content-Type", "application/fhir+json")
	first.ServeHTTP(rec, req)
	if rec.Code != 201 {
		t.Fatal(rec.Code)
	}
	if _, err := sandbox.Open(sandbox.Config{Dir: dir}); err == nil {
		t.Fatal("two processes share one data folder")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(whole, whole[:len(whole)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	e := open(t, sandbox.Config{Dir: dir})
	_, d := e.do("GET", "/fhir/DocumentReference/1", "")
	got, err := base64.StdEncoding.DecodeString(attachment(d)["data"].(string))
	if err != nil || string(got) != text {
		t.Fatalf("%q, %v", got, err)
	}
	if res, _ := e.do("POST", "/fhir/DocumentReference", note("b", "y")); res.Header.Get("Location") == "" {
		t.Fatal("no new document after the restart")
	}
	after, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(after, whole) || bytes.Count(after, []byte("\n")) != 2 {
		t.Fatalf("journal has %d lines, %v", bytes.Count(after, []byte("\n")), err)
	}
}

func TestADamagedJournalStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte("{broken\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := sandbox.Open(sandbox.Config{Dir: dir}); err == nil {
		s.Close()
		t.Fatal("opened")
	}
}

func TestThePageShowsTextAsTextAndRunsNothing(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	if _, empty := e.do("GET", "/", ""); !strings.Contains(empty["page"].(string), "Nothing has arrived yet") {
		t.Error("empty page says nothing")
	}
	e.do("POST", "/fhir/DocumentReference", note("a", "<script>alert(1)</script> 37 °C"))
	for path, want := range map[string]string{
		"/": "Fictional &lt;b&gt;Patient&lt;/b&gt;", "/documents/1": "&lt;script&gt;alert(1)&lt;/script&gt; 37 °C",
	} {
		res, v := e.do("GET", path, "")
		page := v["page"].(string)
		if !strings.Contains(page, want) || strings.Contains(page, "<script") {
			t.Errorf("%s is not escaped", path)
		}
		if !strings.Contains(page, "SANDBOX EHR – fictional patients only") {
			t.Errorf("%s is not labelled", path)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
			strings.Contains(csp, "unsafe") {
			t.Errorf("%s has policy %q", path, csp)
		}
	}
	if res, _ := e.do("GET", "/documents/77", ""); res.StatusCode != 404 {
		t.Errorf("absent document: %d", res.StatusCode)
	}
}

func TestTheTokenGuardsTheEndpointAndThePages(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{Token: "secret"})
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:secret"))
	for _, c := range []struct {
		path, auth string
		want       int
	}{
		{"/fhir/DocumentReference", "", 401},
		{"/fhir/DocumentReference", "Bearer wrong", 401},
		{"/fhir/DocumentReference", "Bearer secret", 200},
		{"/fhir/metadata", "", 200},
		{"/", "", 401},
		{"/", basic, 200},
		{"/documents/1", "", 401},
		{"/fhir/Nonsense", "Bearer secret", 404},
	} {
		if res, _ := e.do("GET", c.path, "", "Authorization", c.auth); res.StatusCode != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.auth, res.StatusCode, c.want)
		}
	}
	open := open(t, sandbox.Config{Token: "secret", Open: true})
	if res, _ := open.do("GET", "/", ""); res.StatusCode != 200 {
		t.Errorf("open page: %d", res.StatusCode)
	}
}

func TestTheCapabilityStatementSaysSandbox(t *testing.T) {
	t.Parallel()
	e := open(t, sandbox.Config{})
	_, c := e.do("GET", "/fhir/metadata", "")
	if c["resourceType"] != "CapabilityStatement" || c["title"] != sandbox.Notice || c["fhirVersion"] != "4.0.1" {
		t.Fatalf("%v", c)
	}
}
