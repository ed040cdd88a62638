package web_test

import "testing"

func TestAPersonMayBeKnownToTheEHR(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.as("admin")
	add := func(login, ref string) map[string]string {
		return map[string]string{"login": login, "name": "Nell Sample", "role": "physician", "password": "a long enough one", "ehr_ref": ref}
	}
	id := admin.json("POST", "/api/v1/people", add("nell", "Practitioner/pr-7")).want(201).field("id")
	admin.json("POST", "/api/v1/people", add("nell2", "")).want(201)
	for _, ref := range []string{"pr-7", "Patient/p1", "Practitioner/", "Practitioner/a b", "https://ehr.example/Practitioner/1"} {
		admin.json("POST", "/api/v1/people", add("nell3", ref)).problem(422, "ehr_ref_invalid")
	}
	ref := func(role string) any {
		for _, p := range w.as(role).get("/api/v1/people").want(200).field("items").([]any) {
			if p := p.(map[string]any); p["id"] == id {
				return p["ehr_ref"]
			}
		}
		return nil
	}
	if got := ref("admin"); got != "Practitioner/pr-7" {
		t.Errorf("an administrator reads %v", got)
	}
	if got := ref("editor"); got != "" {
		t.Errorf("an editor reads %v", got)
	}
}
