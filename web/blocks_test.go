package web_test

import "testing"

func TestAPhysicianKeepsTextsToInsert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.as("physician")
	body := map[string]any{"name": " heart exam ", "also": []string{"cardiac exam"}, "text": "Regular rhythm.\nNo murmur."}
	added := me.json("POST", "/api/v1/blocks", body).want(201)
	if added.field("name") != "heart exam" || added.field("text") != "Regular rhythm.\nNo murmur." {
		t.Errorf("added: %s", added.body)
	}
	me.json("POST", "/api/v1/blocks", body).problem(409, "block_exists")
	me.json("POST", "/api/v1/blocks", map[string]any{"name": "..", "text": "x"}).problem(422, "block_name")
	if items := me.get("/api/v1/blocks").want(200).field("items").([]any); len(items) != 1 {
		t.Errorf("%d texts", len(items))
	}
	if items := w.as("other").get("/api/v1/blocks").want(200).field("items").([]any); len(items) != 0 {
		t.Errorf("another physician sees %d texts", len(items))
	}
	id := added.field("id").(string)
	w.as("other").do("POST", "/api/v1/blocks/"+id+"/remove", nil).problem(404, "not_found")
	w.as("supervisor").get("/api/v1/blocks").problem(403, "forbidden")
	me.do("POST", "/api/v1/blocks/"+id+"/remove", nil).want(204)
	if items := me.get("/api/v1/blocks").want(200).field("items").([]any); len(items) != 0 {
		t.Errorf("%d texts after removing", len(items))
	}
}
