package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// chart is what the record of one of the demonstration's patients holds. They are as fictional as their names.
type chart struct {
	drugs    []string // as an order has them, active
	stopped  []string
	problems []string // open
	resolved []string
}

// charts are the records by id of the patient.
var charts = map[string]chart{
	"demo-1": {
		drugs:    []string{"hydroCHLOROthiazide 12.5 MG Oral Tablet", "amLODIPine besylate 5 MG Oral Tablet", "levothyroxine sodium 0.112 MG Oral Tablet [Synthroid]"},
		stopped:  []string{"lisinopril 10 MG Oral Tablet"},
		problems: []string{"Essential (primary) hypertension", "Hypothyroidism (disorder)"},
		resolved: []string{"Community acquired pneumonia"},
	},
	"demo-2": {
		drugs:    []string{"apixaban 5 MG Oral Tablet [Eliquis]", "metoprolol succinate 50 MG Extended Release Oral Tablet", "atorvastatin calcium 40 MG Oral Tablet"},
		problems: []string{"Paroxysmal atrial fibrillation", "Type 2 diabetes mellitus without complications", "Mixed hyperlipidemia"},
	},
	"demo-3": {
		drugs:    []string{"albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "fluticasone propionate 0.05 MG/ACTUAT Nasal Spray"},
		problems: []string{"Mild persistent asthma", "Allergic rhinitis"},
	},
}

// chartSearch lists the kinds of resource of a chart, with the search parameters beside patient that may stand in a query.
var chartSearch = map[string][]string{"MedicationRequest": {"status", "_include"}, "Condition": {}}

// searchChart answers with one patient's orders or problems. As with documents, what it does not know is refused: a search
// for one patient must never be answered with all of them.
func (s *Server) searchChart(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return refuse(http.StatusBadRequest, "structure", "The query cannot be read.")
		}
		for name, values := range q {
			known := name == "patient" || name == "_count" || name == "_offset" || slices.Contains(chartSearch[kind], name)
			if !known || len(values) != 1 {
				return refuse(http.StatusBadRequest, "not-supported", "The sandbox does not know a search parameter of this query.")
			}
		}
		patient := strings.TrimPrefix(q.Get("patient"), "Patient/")
		if patient == "" {
			return refuse(http.StatusBadRequest, "required", "A search for this needs a patient.")
		}
		count, offset, err := window(q)
		if err != nil {
			return err
		}
		found := charts[patient].resources(kind, patient)
		if status := q.Get("status"); status != "" {
			found = slices.DeleteFunc(found, func(m map[string]any) bool { return m["status"] != status })
		}
		s.write(w, http.StatusOK, s.page(r, kind, q, found, offset, count))
		return nil
	}
}

// page is one page of a search as a Bundle.
func (s *Server) page(r *http.Request, kind string, q url.Values, found []map[string]any, offset, count int) map[string]any {
	bundle := map[string]any{"resourceType": "Bundle", "type": "searchset", "total": len(found)}
	var entries []any
	for _, m := range found[min(offset, len(found)):min(offset+count, len(found))] {
		entries = append(entries, map[string]any{ //nolint:forcetypeassert // resources sets the id
			"fullUrl": s.base(r) + "/" + kind + "/" + m["id"].(string), "resource": m, "search": map[string]any{"mode": "match"},
		})
	}
	if len(entries) > 0 { // FHIR forbids empty arrays
		bundle["entry"] = entries
	}
	if offset+count < len(found) {
		q.Set("_offset", strconv.Itoa(offset+count))
		bundle["link"] = []any{map[string]any{"relation": "next", "url": s.base(r) + "/" + kind + "?" + q.Encode()}}
	}
	return bundle
}

// resources writes a chart as FHIR resources of one kind.
func (c chart) resources(kind, patient string) []map[string]any {
	var out []map[string]any
	add := func(texts []string, fields func(text string) map[string]any) {
		for _, text := range texts {
			m := fields(text)
			m["resourceType"], m["id"], m["subject"] = kind, patient+"-"+strconv.Itoa(len(out)+1), map[string]any{"reference": "Patient/" + patient}
			out = append(out, m)
		}
	}
	order := func(status string) func(string) map[string]any {
		return func(text string) map[string]any {
			return map[string]any{"status": status, "intent": "order", "medicationCodeableConcept": map[string]any{"text": text}}
		}
	}
	problem := func(status string) func(string) map[string]any {
		return func(text string) map[string]any {
			return map[string]any{"code": map[string]any{"text": text}, "clinicalStatus": map[string]any{"coding": []any{map[string]any{
				"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": status,
			}}}}
		}
	}
	if kind == "MedicationRequest" {
		add(c.drugs, order("active"))
		add(c.stopped, order("stopped"))
	} else {
		add(c.problems, problem("active"))
		add(c.resolved, problem("resolved"))
	}
	return out
}
