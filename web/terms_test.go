package web_test

import (
	"testing"
)

func TestAnAuthorKeepsOwnWordsAndSeesThePractices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me, boss := w.as("physician"), w.as("supervisor")
	word := func(text string) map[string]any {
		return map[string]any{"text": text, "kind": "brand", "says": []string{"zan ter pell"}}
	}
	added := me.json("POST", "/api/v1/terms", word(" Zanterpel ")).want(201)
	if added.field("text") != "Zanterpel" || added.field("list") != "author" || added.field("added_by") != "Ana Rivera" {
		t.Errorf("added: %s", added.body)
	}
	boss.json("POST", "/api/v1/terms", word("Larkspurine")).want(201)
	me.json("POST", "/api/v1/terms", word("zanterpel")).problem(409, "term_exists")
	me.json("POST", "/api/v1/terms", map[string]any{"text": "down"}).problem(422, "term_everyday")
	me.json("POST", "/api/v1/terms", map[string]any{"text": "Zorb", "kind": "potion"}).problem(422, "term_kind")
	lists := map[string][]string{"physician": {"Zanterpel", "Larkspurine"}, "other": {"Larkspurine"}, "supervisor": {"Larkspurine"}}
	for who, want := range lists {
		items := w.as(who).get("/api/v1/terms").want(200).field("items").([]any)
		if len(items) != len(want) {
			t.Fatalf("%s sees %d words", who, len(items))
		}
		for i, text := range want {
			if items[i].(map[string]any)["text"] != text {
				t.Errorf("%s: word %d is %v, want %s", who, i, items[i], text)
			}
		}
	}
	id := added.field("id").(string)
	w.as("other").do("POST", "/api/v1/terms/"+id+"/remove", nil).problem(403, "forbidden")
	me.do("POST", "/api/v1/terms/"+id+"/remove", nil).want(204)
	me.do("POST", "/api/v1/terms/"+id+"/remove", nil).problem(404, "not_found")
	if items := me.get("/api/v1/terms").want(200).field("items").([]any); len(items) != 1 {
		t.Errorf("%d words after removing", len(items))
	}
}
