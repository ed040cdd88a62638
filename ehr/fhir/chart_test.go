package fhir

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vesper/ehr/ehrtest"
	"vesper/ehr/sandbox"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

func texts(terms []lexicon.Term) []string {
	var out []string
	for _, t := range terms {
		out = append(out, strings.ToLower(t.Text))
	}
	return out
}

func has(t *testing.T, terms []lexicon.Term, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(texts(terms), strings.ToLower(w)) {
			t.Errorf("%q is missing in %v", w, texts(terms))
		}
	}
}

func hasNot(t *testing.T, terms []lexicon.Term, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if slices.Contains(texts(terms), strings.ToLower(w)) {
			t.Errorf("%q is in %v", w, texts(terms))
		}
	}
}

func TestTheChartOfADemonstrationPatientIsReadAsNamesOnly(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Open(sandbox.Config{Dir: t.TempDir(), Token: "sandbox-token"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv := httptest.NewServer(s)
	defer srv.Close()
	c, err := New(Config{BaseURL: srv.URL + "/fhir", AllowPrivate: true, Token: "sandbox-token"})
	if err != nil {
		t.Fatal(err)
	}
	terms, err := Chart{c, lexicon.Default()}.Terms(t.Context(), "Patient/demo-1")
	if err != nil {
		t.Fatal(err)
	}
	has(t, terms, "hydrochlorothiazide", "amlodipine", "levothyroxine", "Synthroid", "hypertension", "hypothyroidism")
	hasNot(t, terms, "lisinopril", "pneumonia", "tablet", "mg", "oral") // stopped, resolved, no names
	if terms, err := (Chart{c, lexicon.Default()}).Terms(t.Context(), "Patient/nobody"); err != nil || len(terms) != 0 {
		t.Errorf("of an unknown patient: %v, %v", texts(terms), err)
	}
}

const bundle = `{"resourceType":"Bundle","type":"searchset","link":[%s],"entry":[%s]}`

func resource(fields string) string { return `{"resource":{` + fields + `}}` }

func order(text string) string {
	return resource(`"resourceType":"MedicationRequest","status":"active","subject":{"reference":"Patient/p1"},"medicationCodeableConcept":{"text":"` + text + `"}`)
}

// charts answers every search of one kind with the same body.
func charts(t *testing.T, orders, conditions string) Chart {
	t.Helper()
	return Chart{scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/MedicationRequest" {
			reply(w, 200, orders)
		} else {
			reply(w, 200, conditions)
		}
	}), lexicon.Default()}
}

func TestDrugsAreFoundHoweverAnOrderNamesThem(t *testing.T) {
	t.Parallel()
	head := `"resourceType":"MedicationRequest","status":"active","subject":{"reference":"Patient/p1"},`
	orders := strings.Join([]string{
		resource(head + `"medicationCodeableConcept":{"coding":[{"display":"lisinopril 10 MG Oral Tablet"}]}`),
		resource(head + `"medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":{"text":"apixaban 5 mg"}}]`),
		resource(head + `"medicationReference":{"reference":"Medication/9"}`),
		resource(`"resourceType":"Medication","id":"9","code":{"text":"warfarin"}`),
		resource(head + `"medicationReference":{"reference":"Medication/8","display":"Zanterpel XR 40 MG Oral Tablet"}`),
		order("lisinopril / hydrochlorothiazide 20-12.5 mg"),
		resource(`"resourceType":"MedicationRequest","status":"stopped","subject":{"reference":"Patient/p1"},"medicationCodeableConcept":{"text":"digoxin"}`),
		resource(`"resourceType":"MedicationRequest","status":"active","subject":{"reference":"Patient/p2"},"medicationCodeableConcept":{"text":"clozapine"}`),
		resource(`"resourceType":"MedicationRequest","status":7,"subject":[]`),
		`{"resource":null}`,
		resource(head + `"medicationCodeableConcept":{}`),
	}, ",")
	conditions := strings.Join([]string{
		resource(`"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"text":"Bluebell fever, unspecified"}`),
		resource(`"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"text":"Asthma (disorder)"}`),
		resource(`"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"text":"Pneumonia"},"verificationStatus":{"coding":[{"code":"refuted"}]}`),
	}, ",")
	terms, err := charts(t, fmt.Sprintf(bundle, "", orders), fmt.Sprintf(bundle, "", conditions)).Terms(t.Context(), "Patient/p1")
	if err != nil {
		t.Fatal(err)
	}
	has(t, terms, "lisinopril", "apixaban", "warfarin", "Zanterpel XR", "hydrochlorothiazide", "Bluebell fever", "asthma")
	hasNot(t, terms, "digoxin", "clozapine", "pneumonia") // stopped, another patient's, refuted
}

func TestPagesAreFollowedABitAndOnlyWithinTheEHR(t *testing.T) {
	t.Parallel()
	var asked, outside atomic.Int32
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { outside.Add(1) }))
	defer stranger.Close()
	var c *Client
	c = scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/Condition" {
			reply(w, 200, fmt.Sprintf(bundle, `{"relation":"next","url":"`+stranger.URL+`/Condition?page=2"}`, ""))
			return
		}
		asked.Add(1)
		reply(w, 200, fmt.Sprintf(bundle, `{"relation":"next","url":"`+c.base.String()+`/MedicationRequest?page=next"}`, order("lisinopril")))
	})
	terms, err := Chart{c, lexicon.Default()}.Terms(t.Context(), "Patient/p1")
	if err != nil {
		t.Fatal(err)
	}
	if asked.Load() != chartPages || outside.Load() != 0 {
		t.Errorf("%d pages were read, %d requests went elsewhere", asked.Load(), outside.Load())
	}
	has(t, terms, "lisinopril")
}

func TestAServerThatDoesNotKnowIncludeIsAskedWithout(t *testing.T) {
	t.Parallel()
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Has("_include"):
			reply(w, 400, `{"resourceType":"OperationOutcome"}`)
		case r.URL.Path == "/Condition":
			reply(w, 403, `{"resourceType":"OperationOutcome"}`)
		default:
			reply(w, 200, fmt.Sprintf(bundle, "", order("lisinopril")))
		}
	})
	terms, err := Chart{c, lexicon.Default()}.Terms(t.Context(), "Patient/p1")
	has(t, terms, "lisinopril") // though the problems may not be read
	if fault.As(err).Code != "ehr_login_refused" {
		t.Errorf("the refusal of problems: %v", err)
	}
}

func TestNoErrorOfAChartHoldsPatientTextAndNoneTakesLongerThanItsContext(t *testing.T) {
	t.Parallel()
	for code, h := range map[string]http.HandlerFunc{
		"ehr_chart_unreadable": func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"resourceType":"`+ehrtest.Canary+`"}`) },
		"ehr_chart_refused":    func(w http.ResponseWriter, _ *http.Request) { reply(w, 404, ehrtest.Canary) },
		"ehr_busy":             func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, ehrtest.Canary) },
		"ehr_unreachable":      func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			terms, err := Chart{scripted(t, h), lexicon.Default()}.Terms(ctx, "Patient/"+ehrtest.Canary)
			if code == "ehr_unreachable" && err == nil || err != nil && fault.As(err).Code != code || len(terms) != 0 {
				t.Errorf("%v, %v", texts(terms), err)
			}
			if err != nil && strings.Contains(err.Error()+fault.As(err).Public, ehrtest.Canary) {
				t.Errorf("the error quotes the patient: %v", err)
			}
		})
	}
	for _, ref := range []string{"", "p1", "Patient/", "Patient/a b", "Patient/../metadata", "Group/1"} {
		if _, err := (Chart{}).Terms(t.Context(), ref); fault.As(err).Code != "ehr_patient_ref" {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestOrdersAndProblemsAreReducedToNames(t *testing.T) {
	t.Parallel()
	l := lexicon.Default()
	for text, want := range map[string]string{
		"METFORMIN HCL ER 500 MG PO TB24": "metformin", "Zanterpel sodium 5 MG": "zanterpel", "12 units": "", "Oral tablet": "",
		"Zanterpel one two three four five": "zanterpel one two",
	} {
		if got := strings.Join(texts(drugTerms(l, text)), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"Bluebell fever without zebra stripes": "bluebell fever", "Bluebell fever due to zebras": "bluebell fever",
		"one two three four five six seven zorbs": "", "": "",
	} {
		if got := strings.Join(texts(problemTerms(l, text)), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzChartOfABundle holds that whatever bytes an EHR answers with, the terms are bounded names or there is an error.
func FuzzChartOfABundle(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(bundle, "", order("lisinopril 10 MG"))))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"coding":[{"display":"Asthma"}]}}}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","link":[{"relation":"next","url":"http://elsewhere.example/"}],"entry":null}`))
	var body atomic.Pointer[[]byte]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", fhirJSON)
		_, _ = w.Write(*body.Load())
	}))
	f.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL, PlainHTTP: true, Client: srv.Client()})
	if err != nil {
		f.Fatal(err)
	}
	l := lexicon.Default()
	f.Fuzz(func(t *testing.T, raw []byte) {
		body.Store(&raw)
		terms, _ := Chart{c, l}.Terms(t.Context(), "Patient/p1")
		for _, term := range terms {
			if _, known := l.Find(term.Text); !known && len(term.Text) > longestName || term.Text == "" || !term.Kind.Known() {
				t.Fatalf("%+v is no name", term)
			}
		}
	})
}
