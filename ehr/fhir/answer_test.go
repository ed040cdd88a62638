package fhir

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vesper/ehr"
	"vesper/ehr/ehrtest"
	"vesper/internal/fault"
)

// scripted is an EHR that answers as some real ones do.
func scripted(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metadata" {
			w.Header().Set("Content-Type", fhirJSON)
			fmt.Fprint(w, `{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server","resource":`+
				`[{"type":"DocumentReference","conditionalCreate":true}]}]}`)
			return
		}
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL, PlainHTTP: true, Client: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", fhirJSON+"; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func TestEachRefusalHasItsCodeAndShowsNoPatientText(t *testing.T) {
	t.Parallel()
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invariant","diagnostics":"` +
		ehrtest.Canary + `"},{"code":"` + ehrtest.Canary + `"}]}`
	cases := map[int]struct {
		code string
		kind fault.Kind
	}{
		400: {"ehr_refused", fault.Invalid}, 401: {"ehr_login_refused", fault.Invalid},
		403: {"ehr_login_refused", fault.Invalid}, 404: {"ehr_refused", fault.Invalid},
		412: {"ehr_duplicate", fault.Conflict}, 413: {"ehr_refused", fault.Invalid}, 422: {"ehr_refused", fault.Invalid},
		429: {"ehr_busy", fault.Unavailable}, 307: {"ehr_redirected", fault.Invalid},
	}
	for status, want := range cases {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost {
					t.Error("a plain refusal was looked up")
				}
				w.Header().Set("Retry-After", "7")
				reply(w, status, outcome)
			})
			_, err := c.Deliver(t.Context(), ehrtest.Document("note-1/v1"))
			f := fault.As(err)
			if f == nil || f.Code != want.code || f.Kind != want.kind {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(fmt.Sprint(err)+f.Public, ehrtest.Canary) {
				t.Fatalf("shows patient text: %v", err)
			}
			if status == 429 && f.RetryAfter.Seconds() != 7 {
				t.Fatalf("retry after %v", f.RetryAfter)
			}
		})
	}
}

// A server that does not know the parameter answers with everything it has; none of that is ours.
func TestASearchThatIgnoresTheIdentifierStopsForAPerson(t *testing.T) {
	t.Parallel()
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		reply(w, 200, `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"DocumentReference","id":"1",`+
			`"identifier":[{"system":"x","value":"y"}]}}]}`)
	})
	if _, err := c.Deliver(t.Context(), ehrtest.Document("note-1/v1")); fault.As(err).Code != "ehr_search_unsupported" {
		t.Fatalf("got %v", err)
	}
}

func TestTheNoteIsReadFromABinaryOfTheSameServerOnly(t *testing.T) {
	t.Parallel()
	d := ehrtest.Document("note-1/v1")
	for _, tt := range []struct {
		name, url, accept string
		ok                bool
	}{
		{"as a resource", "Binary/b1", "json", true},
		{"as bytes", "Binary/b1", "bytes", true},
		{"by version", "Binary/b1/_history/2", "bytes", true},
		{"elsewhere", "http://169.254.169.254/Binary/b1", "bytes", false},
		{"climbing out", "Binary/../secrets", "bytes", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasPrefix(r.URL.Path, "/DocumentReference/"):
					reply(w, 200, `{"resourceType":"DocumentReference","id":"1","content":[{"attachment":{"url":"`+tt.url+`"}}]}`)
				case r.URL.Path != "/Binary/b1":
					t.Errorf("asked for %s", r.URL.Path)
				case tt.accept == "json":
					reply(w, 200, `{"resourceType":"Binary","data":"`+base64.StdEncoding.EncodeToString(d.Body)+`"}`)
				default:
					w.Header().Set("Content-Type", ehr.PlainText)
					_, _ = w.Write(d.Body)
				}
			})
			got, err := c.ReadBack(t.Context(), ehr.Receipt{ID: "DocumentReference/1"})
			if tt.ok != (err == nil) || (tt.ok && got.BodySHA256 != d.BodySHA256) {
				t.Fatalf("copy %+v, error %v", got, err)
			}
		})
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	c := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", fhirJSON)
		block := []byte(strings.Repeat(" ", 1<<16))
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	if _, err := c.ReadBack(t.Context(), ehr.Receipt{ID: "DocumentReference/1"}); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v", err)
	}
}

func TestTheEncodedResourceIsTheOneUSCoreAsksFor(t *testing.T) {
	t.Parallel()
	d := ehrtest.Document("note-1/v2")
	d.RelatesTo = []ehr.Relation{{Code: ehr.Replaces, Target: "DocumentReference/7"}}
	raw, err := encode(d)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"status": "current", "docStatus": "amended", "date": "2026-01-05T10:00:00.000Z",
		"masterIdentifier.system": "urn:ietf:rfc:3986", "masterIdentifier.value": d.Master,
		"identifier.0.value": "note-1/v2", "type.coding.0.system": "http://loinc.org", "type.coding.0.code": "11506-3",
		"category.0.coding.0.code": "clinical-note", "subject.reference": "Patient/p1",
		"author.0.reference": "Practitioner/dr1", "authenticator.reference": "Practitioner/dr1",
		"custodian.display": "Fictional Family Practice", "context.encounter.0.reference": "Encounter/e1",
		"context.period.start": "2026-01-05T09:00:00.000Z", "relatesTo.0.code": "replaces",
		"relatesTo.0.target.reference": "DocumentReference/7", "content.0.attachment.contentType": ehr.PlainText,
		"content.0.attachment.extension.0.valueString": d.BodySHA256, "content.0.attachment.title": "Progress note",
		"content.0.attachment.data": base64.StdEncoding.EncodeToString(d.Body),
		"content.0.attachment.size": fmt.Sprint(len(d.Body)),
	} {
		if v := dig(got, path); v != want {
			t.Errorf("%s is %q, want %q", path, v, want)
		}
	}
	// SHA-1 of "abc", from FIPS 180.
	d.Body = []byte("abc")
	if raw, err = encode(d); err != nil || !strings.Contains(string(raw), `"hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0="`) {
		t.Errorf("hash of abc is wrong: %s, %v", raw, err)
	}
}

func dig(v any, path string) string {
	for _, step := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			v = node[step[0]-'0']
		}
	}
	return fmt.Sprint(v)
}

// Whatever an EHR answers, the client neither panics nor makes up a place outside FHIR's ids.
func FuzzAnswersOfTheEHR(f *testing.F) {
	f.Add(201, "https://ehr.example/fhir/DocumentReference/7/_history/1", `{"resourceType":"DocumentReference","id":"7"}`)
	f.Add(200, "DocumentReference/../../admin", `{"resourceType":"Bundle","entry":[{}]}`)
	f.Add(422, "::", `{"resourceType":"OperationOutcome","issue":[{"code":"required"}]}`)
	f.Fuzz(func(t *testing.T, status int, location, body string) {
		a := answer{status: status, body: []byte(body), header: http.Header{"Location": {location}, "Content-Type": {fhirJSON}}}
		if id, version, ok := a.place(); ok && (!resourceID.MatchString(id) || (version != "" && !resourceID.MatchString(version))) {
			t.Fatalf("place %q version %q", id, version)
		}
		a.issues()
		if fault.As(a.refusal("create")).Public == "" {
			t.Fatal("no public text")
		}
		var d documentReference
		if a.decode("DocumentReference", &d) == nil {
			(&Client{base: mustBase()}).toCopy(d)
			if len(d.Content) > 0 {
				_, _ = decodeData(d.Content[0].Attachment.Data)
			}
		}
	})
}

func mustBase() *url.URL { return &url.URL{Scheme: "https", Host: "ehr.example"} }
