package web_test

import (
	"context"
	"testing"
)

func TestANoteGoesFromTheQueueThroughTheEditorToTheSignatureAndOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.drafted().String()
	editor, physician := w.as("editor"), w.as("physician")
	base := "/api/v1/dictations/" + id

	queue := editor.get("/api/v1/dictations?queue=editor").want(200)
	if items := queue.field("items").([]any); len(items) != 1 || items[0].(map[string]any)["claimed_by"] != nil || queue.field("counts").(map[string]any)["drafted"] != 1.0 {
		t.Fatalf("queue %s", queue.body)
	}
	claim := editor.json("POST", base+"/claim", nil).want(200)
	if claim.field("person").(map[string]any)["name"] != "Mina Okafor" {
		t.Errorf("claim %s", claim.body)
	}
	status := editor.get(base + "/status").want(200)
	if status.field("state") != "in_review" || status.field("claimed_by").(map[string]any)["id"] != w.people["editor"].ID.String() {
		t.Errorf("status %s", status.body)
	}
	w.as("supervisor").json("POST", base+"/claim", nil).problem(409, "claimed")

	text := func(s string) []map[string]string {
		return []map[string]string{{"key": "subjective", "text": s}, {"key": "objective", "text": s}, {"key": "assessment", "text": s}, {"key": "plan", "text": s}}
	}
	v := editor.json("PUT", base+"/note", map[string]any{"base": 1, "sections": text("He feels very well today.")}).want(200)
	if v.field("number") != 2.0 || v.field("by").(map[string]any)["name"] != "Mina Okafor" || v.field("content_hash") == "" {
		t.Fatalf("version %s", v.body)
	}
	// The second tab still has version 1.
	editor.json("PUT", base+"/note", map[string]any{"base": 1, "sections": text("Older text.")}).problem(409, "version_conflict")
	editor.json("PUT", base+"/note", map[string]any{"base": 2, "sections": append(text("x"), text("x")...)}).problem(422, "section_twice")
	editor.json("POST", base+"/send", map[string]any{"version": 1}).problem(409, "version_conflict")
	editor.json("POST", base+"/send", map[string]any{"version": 2}).want(204)
	editor.get(base).problem(403, "forbidden") // it is not in the editors' hands any more

	p := physician.get(base + "/signature-preview").want(200)
	if p.field("content_hash") == v.field("content_hash") || p.field("version").(map[string]any)["content_hash"] != v.field("content_hash") || len(p.field("changes").([]any)) == 0 || p.field("preview") == "" {
		t.Fatalf("preview %s", p.body)
	}
	sign := map[string]any{"version": 2, "content_hash": p.field("content_hash"), "password": "not it"}
	physician.json("POST", base+"/signature", sign).problem(403, "password_wrong")
	sign["password"] = password
	sign["content_hash"] = "another"
	physician.json("POST", base+"/signature", sign).problem(409, "content_changed")
	sign["content_hash"] = p.field("content_hash")
	s := physician.json("POST", base+"/signature", sign).want(201)
	if s.field("signer") != "Ana Rivera" || len(s.field("text_sha256").(string)) != 64 {
		t.Errorf("signature %s", s.body)
	}
	d := physician.get(base).want(200)
	if d.field("state") != "signed" || d.field("signature") == nil || len(d.field("deliveries").([]any)) != 1 {
		t.Errorf("detail %s", d.body)
	}
	a := physician.json("POST", base+"/addendum", map[string]string{"text": "He called later and feels worse."}).want(201)
	physician.get("/api/v1/dictations/" + a.field("id").(string) + "/signature-preview").want(200)
	h := w.as("compliance").get(base + "/history").want(200)
	moves := h.field("moves").([]any)
	if last := moves[len(moves)-1].(map[string]any); last["from"] != "awaiting_signature" || last["to"] != "signed" || last["at"] == "" {
		t.Errorf("the last step is %v", last)
	}
	if len(h.field("versions").([]any)) != 2 || len(h.field("events").([]any)) < 5 {
		t.Errorf("history %s", h.body)
	}
}

func TestWrongPasswordsAtSigningAreSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	path := "/api/v1/dictations/" + w.awaiting().String() + "/signature"
	for range 5 {
		c.json("POST", path, map[string]any{"version": 1, "content_hash": "x", "password": "guess"}).problem(403, "password_wrong")
	}
	c.json("POST", path, map[string]any{"version": 1, "content_hash": "x", "password": password}).problem(429, "rate_limited")
}

func TestEachLookAtANoteIsExactlyOneEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.drafted()
	c := w.as("physician")
	c.get("/api/v1/dictations/" + id.String()).want(200)
	c.get("/api/v1/dictations/" + id.String() + "/status").want(200)
	h, err := w.svc.History(context.Background(), w.actor("compliance"), id)
	w.must(err)
	views := 0
	for _, e := range h.Events {
		if e.Action == "dictation.view" {
			views++
			if e.RequestID == "" {
				t.Error("the event does not name its request")
			}
		}
	}
	if views != 1 {
		t.Errorf("%d views on the record", views)
	}
}
