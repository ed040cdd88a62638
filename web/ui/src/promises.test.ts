import { test } from "node:test";
import assert from "node:assert/strict";
import { markOf, whenWords } from "./editor/promises.ts";
import type { FollowUp } from "./types.ts";

const visit: FollowUp = { id: "1", kind: "appointment", text: "Return in 2 weeks", due: "2026-12-08", due_words: "in 2 weeks", to: "", owner: "practice", section: "plan", start: 1, end: 2 };

test("a date stands beside the words it was computed from", () => {
  assert.match(whenWords(visit), /2026.*\(in 2 weeks\)$|8.*\(in 2 weeks\)$/);
  assert.match(whenWords({ ...visit, kind: "medication_hold" }), /^until /);
  assert.equal(whenWords({ ...visit, due: "as needed" }), "as needed");
  assert.equal(whenWords({ ...visit, due: "" }), "");
});

test("a promise says what an edit or a condition did to it", () => {
  const change = (how: string) => ({ by: "x", at: "", how });
  assert.equal(markOf(visit), "");
  assert.equal(markOf({ ...visit, conditional: true, condition: "if symptoms persist" }), "Only: if symptoms persist");
  assert.equal(markOf({ ...visit, conditional: true, change: change("withdrawn") }), "Taken out by an edit");
  assert.equal(markOf({ ...visit, change: change("added") }), "Written by an editor");
  assert.equal(markOf({ ...visit, change: change("edited") }), "Changed by an edit");
});
