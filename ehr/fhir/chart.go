package fhir

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

// Bounds of reading a chart. A chart that is longer than this is read in part.
const (
	chartPages  = 3
	chartCount  = "100"   // resources asked for on a page
	chartAnswer = 4 << 20 // bytes of a page
)

// Chart reads what the EHR knows of a patient, as terms that a dictation may hold: the names of drugs with an active order
// (MedicationRequest) and of problems that are open (Condition). It implements pipeline.Chart.
type Chart struct {
	Client  *Client
	Lexicon *lexicon.Lexicon // names of drugs and problems are looked up here
}

// Terms reads both lists at once. Where one cannot be read, the other is returned beside the error. ref is the patient's
// reference, "Patient/7". The time is the context's business.
func (c Chart) Terms(ctx context.Context, ref string) ([]lexicon.Term, error) {
	id, ok := strings.CutPrefix(ref, "Patient/")
	if !ok || !resourceID.MatchString(id) {
		return nil, fault.New(fault.Invalid, "ehr_patient_ref", "The patient's reference in the EHR is not of the form Patient/ID. Correct it where patients are imported.")
	}
	var drugs, problems []lexicon.Term
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { drugs, errs[0] = c.drugs(ctx, ref) })
	both.Go(func() { problems, errs[1] = c.problems(ctx, ref) })
	both.Wait()
	if errs[0] != nil {
		return append(drugs, problems...), errs[0]
	}
	return append(drugs, problems...), errs[1]
}

func (c Chart) drugs(ctx context.Context, ref string) ([]lexicon.Term, error) {
	q := url.Values{"patient": {ref}, "status": {"active"}, "_count": {chartCount}, "_include": {"MedicationRequest:medication"}}
	found, err := c.Client.searchChart(ctx, "MedicationRequest", q)
	if err != nil && fault.As(err).Code == "ehr_chart_refused" { // some servers do not know the parameter
		q.Del("_include")
		found, err = c.Client.searchChart(ctx, "MedicationRequest", q)
	}
	medications := map[string]codeableConcept{}
	for _, r := range found {
		if r.ResourceType == "Medication" {
			medications["Medication/"+r.ID] = r.Code
		}
	}
	var out []lexicon.Term
	for _, r := range found {
		if r.ResourceType == "MedicationRequest" && c.Client.relative(r.Subject.Reference) == ref && (r.Status == "active" || r.Status == "") {
			out = append(out, drugTerms(c.Lexicon, r.medication(c.Client, medications))...)
		}
	}
	return out, err
}

func (c Chart) problems(ctx context.Context, ref string) ([]lexicon.Term, error) {
	found, err := c.Client.searchChart(ctx, "Condition", url.Values{"patient": {ref}, "_count": {chartCount}})
	var out []lexicon.Term
	for _, r := range found {
		if r.ResourceType == "Condition" && c.Client.relative(r.Subject.Reference) == ref && r.open() {
			out = append(out, problemTerms(c.Lexicon, r.Code.words())...)
		}
	}
	return out, err
}

// charted is the part of MedicationRequest, Medication and Condition that is read.
type charted struct {
	ResourceType              string          `json:"resourceType"`
	ID                        string          `json:"id"`
	Status                    string          `json:"status"`
	Subject                   reference       `json:"subject"`
	Code                      codeableConcept `json:"code"`
	MedicationCodeableConcept codeableConcept `json:"medicationCodeableConcept"`
	MedicationReference       reference       `json:"medicationReference"`
	Contained                 []struct {
		ID   string          `json:"id"`
		Code codeableConcept `json:"code"`
	} `json:"contained"`
	ClinicalStatus     codeableConcept `json:"clinicalStatus"`
	VerificationStatus codeableConcept `json:"verificationStatus"`
}

// open says that a problem is neither over nor a mistake.
func (r charted) open() bool {
	has := func(c codeableConcept, codes ...string) bool {
		return slices.ContainsFunc(c.Coding, func(x coding) bool { return slices.Contains(codes, x.Code) })
	}
	return !has(r.ClinicalStatus, "inactive", "remission", "resolved") && !has(r.VerificationStatus, "refuted", "entered-in-error")
}

// medication is what an order names: in place, contained, included in the answer, or by the reference's own words.
func (r charted) medication(c *Client, included map[string]codeableConcept) string {
	if text := r.MedicationCodeableConcept.words(); text != "" {
		return text
	}
	ref := r.MedicationReference
	for _, m := range r.Contained {
		if text := m.Code.words(); ref.Reference == "#"+m.ID && text != "" {
			return text
		}
	}
	if text := included[c.relative(ref.Reference)].words(); text != "" {
		return text
	}
	return ref.Display
}

// words is the concept in words: what the author chose, else a code's own.
func (c codeableConcept) words() string {
	if text := strings.TrimSpace(c.Text); text != "" {
		return text
	}
	for _, x := range c.Coding {
		if text := strings.TrimSpace(x.Display); text != "" {
			return text
		}
	}
	return ""
}

// searchChart searches and follows a few pages. A resource that cannot be read is left out; what was read before an error
// is returned beside it.
func (c *Client) searchChart(ctx context.Context, kind string, q url.Values) ([]charted, error) {
	var out []charted
	path := kind + "?" + q.Encode()
	for range chartPages {
		a, err := c.exchange(ctx, http.MethodGet, path, nil, nil, chartAnswer)
		if err != nil {
			return out, unreachable(err)
		}
		if a.status != http.StatusOK {
			return out, a.chartRefusal()
		}
		var b struct {
			Link []struct {
				Relation string `json:"relation"`
				URL      string `json:"url"`
			} `json:"link"`
			Entry []struct {
				Resource json.RawMessage `json:"resource"`
			} `json:"entry"`
		}
		if err := a.decode("Bundle", &b); err != nil {
			return out, unreadableChart(err)
		}
		for _, e := range b.Entry {
			var r charted
			if json.Unmarshal(e.Resource, &r) == nil {
				out = append(out, r)
			}
		}
		path = ""
		for _, l := range b.Link {
			// Only an address below our own base is followed: elsewhere a token and a patient's id have no business.
			if rest, ok := strings.CutPrefix(l.URL, c.base.String()); ok && l.Relation == "next" && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "?")) {
				path = strings.TrimPrefix(rest, "/")
			}
		}
		if path == "" {
			return out, nil
		}
	}
	return out, nil
}

// chartRefusal is the fault of a search that was answered with "no". Its texts are for operators; nobody waits for it.
func (a answer) chartRefusal() error {
	err := a.refusal("read chart")
	if f := fault.As(err); f.Code == "ehr_login_refused" || f.Kind == fault.Unavailable {
		return err
	}
	return fault.Wrap(errors.Unwrap(err), fault.Invalid, "ehr_chart_refused", "The EHR does not let Vesper read medications and problems. "+
		"Ask an administrator to check the EHR connection.")
}

func unreadableChart(err error) error {
	return fault.Wrap(err, fault.Invalid, "ehr_chart_unreadable", "The EHR's list of medications or problems cannot be read.")
}
