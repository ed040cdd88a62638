package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// everyone are the roles with an account; "other" is a physician who did not dictate it.
var everyone = []string{"physician", "other", "editor", "supervisor", "compliance", "admin"}

// rights says for each route who is let in, and in which state of a dictation that is tried. Who is not named must be
// refused with 403; who is named must not be, though the step may be refused for other reasons.
var rights = map[string]struct {
	state string // makes the {id}; "" where there is none
	body  string
	roles string
}{
	"POST /api/v1/session":                               {"", `{"login":"x","password":"y"}`, "anyone"},
	"GET /api/v1/session":                                {"", "", "physician other editor supervisor compliance admin"},
	"DELETE /api/v1/session":                             {"", "", "physician other editor supervisor compliance admin"},
	"GET /api/v1/dictations":                             {"", "", "physician other editor supervisor compliance admin"},
	"GET /api/v1/dictations/{id}":                        {"drafted", "", "physician editor supervisor compliance"},
	"GET /api/v1/dictations/{id}/status":                 {"drafted", "", "physician editor supervisor compliance admin"},
	"GET /api/v1/dictations/{id}/history":                {"drafted", "", "physician supervisor compliance"},
	"GET /api/v1/dictations/{id}/versions/{number}/file": {"drafted", "", "physician supervisor compliance"},
	"GET /api/v1/dictations/{id}/signature-preview":      {"awaiting", "", "physician"},
	"POST /api/v1/dictations/{id}/claim":                 {"drafted", "", "editor supervisor"},
	"POST /api/v1/dictations/{id}/release":               {"inReview", "", "editor supervisor"},
	"POST /api/v1/dictations/{id}/send":                  {"inReview", `{"version":1}`, "editor"},
	"POST /api/v1/dictations/{id}/reject":                {"inReview", `{"reason":"unusable"}`, "editor supervisor"},
	"POST /api/v1/dictations/{id}/retry":                 {"failed", `{"reason":"again"}`, "supervisor admin"},
	"POST /api/v1/dictations/{id}/cancel":                {"failed", `{"reason":"twice"}`, "supervisor admin"},
	"POST /api/v1/dictations/{id}/rerun":                 {"drafted", `{"stage":"draft","reason":"again"}`, "supervisor admin"},
	"GET /api/v1/queue":                                  {"", "", "physician other editor supervisor compliance admin"},
	"PUT /api/v1/dictations/{id}/note":                   {"inReview", `{"base":1,"sections":[{"key":"plan","text":"Rest."}]}`, "editor"},
	"POST /api/v1/dictations/{id}/restore":               {"inReview", `{"base":1,"taken":"w0-0"}`, "editor"},
	"POST /api/v1/dictations/{id}/flags/{flag}/settle":   {"inReview", `{"base":1,"how":"heard"}`, "editor"},
	"POST /api/v1/dictations/{id}/return":                {"awaiting", `{"reason":"wrong section"}`, "physician"},
	"POST /api/v1/dictations/{id}/signature":             {"awaiting", `{"version":1,"content_hash":"x","password":"` + password + `"}`, "physician"},
	"POST /api/v1/dictations/{id}/addendum":              {"awaiting", `{"text":"Later."}`, "physician"},
	"POST /api/v1/dictations/{id}/bind":                  {"inReview", `{"work_type":"consult"}`, "physician editor supervisor"},
	"GET /api/v1/patients":                               {"", "", "physician other editor supervisor compliance"},
	"POST /api/v1/patients/search":                       {"", `{"search":"Testa"}`, "physician other editor supervisor compliance"},
	"GET /api/v1/encounters":                             {"", "", "physician other editor supervisor compliance"},
	"GET /api/v1/work-types":                             {"", "", "physician other editor supervisor compliance admin"},
	"GET /api/v1/people":                                 {"", "", "physician other editor supervisor compliance admin"},
	"POST /api/v1/people":                                {"", `{"login":"new","name":"New","role":"editor","password":"a long enough one"}`, "admin"},
	"POST /api/v1/people/{id}/disable":                   {"person", "", "admin"},
	"POST /api/v1/people/{id}/enable":                    {"person", "", "admin"},
	"GET /api/v1/terms":                                  {"", "", "physician other supervisor admin"},
	"POST /api/v1/terms":                                 {"", `{"text":"Zanterpel","kind":"brand"}`, "physician other supervisor admin"},
	"GET /api/v1/language":                               {"", "", "physician other supervisor admin"},
	"PUT /api/v1/language":                               {"", `{"language":"es"}`, "physician other supervisor admin"},
	"POST /api/v1/terms/{id}/remove":                     {"", "", "physician other supervisor admin"},
	"GET /api/v1/blocks":                                 {"", "", "physician other"},
	"POST /api/v1/blocks":                                {"", `{"name":"heart exam","text":"Regular rhythm."}`, "physician other"},
	"POST /api/v1/blocks/{id}/remove":                    {"", "", "physician other"},
	"GET /api/v1/people/{id}/corrections":                {"person", "", "supervisor"},
	"POST /api/v1/people/{id}/corrections":               {"person", `{"heard":"zanter pell","written":"Zanterpel","decision":"approved"}`, "supervisor"},
	"POST /api/v1/corrections/{id}/undo":                 {"", "", "supervisor"},
	"GET /api/v1/keeping":                                {"", "", "supervisor compliance admin"},
	"POST /api/v1/findings/{id}/settle":                  {"", `{"note":"known"}`, "admin"},
	"GET /api/v1/tombstones":                             {"", "", "supervisor compliance admin"},
	"GET /api/v1/retention":                              {"", "", "supervisor compliance admin"},
	"POST /api/v1/retention":                             {"", `{"original_days":365,"reason":"decided"}`, "supervisor admin"},
	"GET /api/v1/holds":                                  {"", "", "compliance"},
	"POST /api/v1/holds":                                 {"", `{"scope":"patient","subject":"01a22213-698a-77e2-9184-014ccd8aa3c3","reason":"asked"}`, "compliance"},
	"POST /api/v1/holds/{id}/lift":                       {"", `{"reason":"answered"}`, "compliance"},
	"GET /api/v1/turnaround":                             {"", "", "supervisor"},
	"GET /api/v1/turnaround/plan":                        {"", "", "supervisor"},
	"PUT /api/v1/turnaround/plan":                        {"", `{"number":0,"plan":` + planBody + `}`, "supervisor"},
	"GET /api/v1/escalations":                            {"", "", "supervisor"},
	"PUT /api/v1/escalations":                            {"", `{"number":0,"source":""}`, "supervisor"},
	"POST /api/v1/escalations/check":                     {"", `{"source":""}`, "physician other editor supervisor compliance admin"},
	"POST /api/v1/webhooks":                              {"", `{"url":"https://hooks.example/in"}`, "supervisor"},
	"POST /api/v1/webhooks/{id}/remove":                  {"", "", "supervisor"},
	"POST /api/v1/messages/{id}/resend":                  {"", "", "supervisor"},
	"GET /api/v1/notifications":                          {"", "", "physician other editor supervisor compliance admin"},
	"GET /api/v1/notifications/unread":                   {"", "", "physician other editor supervisor compliance admin"},
	"POST /api/v1/notifications/{id}/read":               {"", "", "physician other editor supervisor compliance admin"},
	"POST /api/v1/notifications/read":                    {"", "", "physician other editor supervisor compliance admin"},
	"GET /api/v1/notifications/settings":                 {"", "", "physician other editor supervisor compliance admin"},
	"PUT /api/v1/notifications/settings":                 {"", `{"address":"","by_mail":false}`, "physician other editor supervisor compliance admin"},
	"GET /api/v1/audit":                                  {"", "", "compliance"},
	"GET /api/v1/audit/verify":                           {"", "", "compliance"},
	// The recordings and uploads have tests of their own; here it only matters who is let in.
	"GET /api/v1/dictations/{id}/audio": {"drafted", "", "physician editor supervisor compliance"},
	"POST /api/v1/dictations":           {"", "", "physician other supervisor admin"},
	"POST /api/v1/uploads":              {"", "", "physician other supervisor admin"},
	"HEAD /api/v1/uploads/{id}":         {"person", "", "physician other editor supervisor compliance admin"}, // not found, for all
	"PATCH /api/v1/uploads/{id}":        {"person", "", "physician other editor supervisor compliance admin"},
	"DELETE /api/v1/uploads/{id}":       {"person", "", "physician other editor supervisor compliance admin"},
	"POST /api/v1/uploads/{id}/finish":  {"person", "", "physician other editor supervisor compliance admin"},
}

const planBody = `{"zone":"America/New_York","hours":{"mon":["08:00-17:00"],"tue":[],"wed":[],"thu":[],"fri":[],"sat":[],"sun":[]},` +
	`"holidays":[{"date":"12-25"}],"routine_clock":"working","stat_clock":"wall","targets":[{"work_type":"","priority":"stat","hours":1}]}`

func TestEveryRouteRefusesStrangersAndWrongRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, route := range routes(t, w) {
		if _, ok := rights[route]; !ok {
			t.Errorf("%s: nobody has said who may use it", route)
		}
	}
	anonymous := w.anonymous()
	for route, r := range rights {
		if r.roles == "anyone" {
			continue
		}
		if a := w.call(anonymous, route, newID(), r.body); a.status != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d %s", route, a.status, a.body)
		}
	}
	for _, role := range everyone {
		c := w.as(role)
		for route, r := range rights {
			if r.roles == "anyone" || route == "DELETE /api/v1/session" {
				continue
			}
			a := w.call(c, route, w.target(r.state), r.body)
			allowed := strings.Contains(" "+r.roles+" ", " "+role+" ")
			switch {
			case allowed && (a.status == 401 || a.status == 403 || (a.status >= 500 && !strings.Contains(route, "audio"))):
				t.Errorf("%s as %s: %d %s", route, role, a.status, a.body)
			case !allowed && a.status != http.StatusForbidden:
				t.Errorf("%s as %s must be refused: %d %s", route, role, a.status, a.body)
			}
		}
	}
}

// target makes what the route is about.
func (w *world) target(state string) uuid.UUID {
	w.Helper()
	switch state {
	case "drafted":
		return w.drafted()
	case "inReview":
		return w.inReview()
	case "awaiting":
		return w.awaiting()
	case "failed":
		return w.failed()
	default:
		return newID()
	}
}

func (w *world) call(c *client, route string, id uuid.UUID, body string) answer {
	w.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer("{id}", id.String(), "{flag}", "f1", "{number}", "1").Replace(path)
	switch {
	case route == "POST /api/v1/dictations":
		return c.submit(tone(), "a.wav", nil, nil)
	case strings.HasPrefix(path, "/api/v1/uploads"):
		return c.do(method, path, nil, "Tus-Resumable", "1.0.0", "Upload-Length", "10")
	case body == "":
		return c.do(method, path, nil)
	default:
		return c.do(method, path, strings.NewReader(body), "Content-Type", "application/json")
	}
}

// routes reads all routes from the API's own description.
func routes(t testing.TB, w *world) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	w.anonymous().get("/api/openapi.json").want(200).into(&doc)
	var out []string
	for path, methods := range doc.Paths {
		for m := range methods {
			out = append(out, strings.ToUpper(m)+" "+path)
		}
	}
	if len(out) < 30 {
		t.Fatalf("only %d routes are described", len(out))
	}
	return out
}
