package web_test

import "testing"

func TestOnlyWhatEditorsDidChangeCanBeDecidedAndOnlyByASupervisor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	boss := w.as("supervisor")
	author := w.people["physician"].ID.String()
	list := func() answer { return boss.get("/api/v1/people/" + author + "/corrections").want(200) }
	if l := list(); len(l.field("suggested").([]any)) != 0 || len(l.field("decided").([]any)) != 0 {
		t.Fatalf("before any edit: %s", l.body)
	}
	decide := map[string]any{"heard": "zanter pell", "written": "Zanterpel", "decision": "approved"}
	boss.json("POST", "/api/v1/people/"+author+"/corrections", decide).problem(409, "correction_not_suggested")
	boss.json("POST", "/api/v1/people/"+author+"/corrections", map[string]any{"heard": "a", "written": "b", "decision": "perhaps"}).want(422)
	boss.get("/api/v1/people/"+w.people["editor"].ID.String()+"/corrections").problem(422, "author_not_physician")
	boss.do("POST", "/api/v1/corrections/"+newID().String()+"/undo", nil).problem(404, "not_found")
	w.as("editor").get("/api/v1/people/"+author+"/corrections").problem(403, "forbidden")
}
