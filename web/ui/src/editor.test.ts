import { test } from "node:test";
import assert from "node:assert/strict";
import { EditorState, TextSelection } from "prosemirror-state";
import { textsOf } from "./document.ts";
import { doubtsOf } from "./editor/doubts.ts";
import { deleteAcross, guard, structure } from "./editor/guard.ts";
import { buildDoc, fromTexts, schema, spokenIn, textLine, toTexts } from "./editor/schema.ts";
import { flagRange } from "./editor/voice.ts";
import type { Flag, NoteDocument, Word } from "./types.ts";

const words: Word[] = ["milo", "is", "four"].map((text, i) => ({ text, start: i, end: i + 0.8, confidence: 0.9 }));
const flag = (over: Partial<Flag>): Flag => ({ id: "f", kind: "number", severity: "critical", section: "a", text: "four", start: 2, end: 2.8, detail: "", ...over });
const note: NoteDocument = {
  work_type: "progress",
  sections: [
    { key: "a", heading: "A", runs: [{ text: "Milo is four.\nLine two.", source: { kind: "speech", start: 0, end: 2.8, words: [0, 1, 2] } }] },
    { key: "b", heading: "B", runs: [] },
    { key: "c", heading: "C", runs: [{ text: "Typed <b>&amp; raw</b>.", source: { kind: "person" } }] },
  ],
  blanks: [{ start: 5, end: 6, section: "c" }],
  flags: [flag({ id: "late", start: 9, end: 10 }), flag({ id: "done", settled: { by: "p", at: "", how: "heard" } }), flag({ id: "none", kind: "missing_section", severity: "notice", start: 0, end: 0 }), flag({})],
};
const state = () => EditorState.create({ doc: buildDoc(note, words), plugins: [guard()] });

test("what comes out of the editor is what went in", () => {
  assert.deepEqual(toTexts(buildDoc(note, words)), textsOf(note));
  assert.deepEqual(toTexts(fromTexts(textsOf(note), new Map())), textsOf(note));
});

test("selecting everything and deleting empties the sections and keeps them", () => {
  const s = state();
  const all = s.apply(s.tr.setSelection(TextSelection.create(s.doc, 2, s.doc.content.size - 2)));
  const tr = deleteAcross(all);
  assert.ok(tr);
  const after = all.apply(tr);
  assert.deepEqual(toTexts(after.doc), [{ key: "a", text: "" }, { key: "b", text: "" }, { key: "c", text: "" }]);
});

test("a change that would take a section away is refused, unless it is meant", () => {
  const s = state();
  const gone = s.tr.delete(0, s.doc.child(0).nodeSize);
  assert.equal(s.apply(gone).doc.childCount, 3);
  const more = s.tr.insert(0, schema.node("section", { key: "z", heading: "Z" }, [textLine("")])).setMeta(structure, true);
  assert.equal(s.apply(more).doc.childCount, 4);
});

test("deleting inside one section is left to the editor", () => {
  const s = state();
  assert.equal(deleteAcross(s.apply(s.tr.setSelection(TextSelection.create(s.doc, 2, 6)))), undefined);
});

test("words keep their time when text is typed before them; typed text has none", () => {
  const s = state();
  const after = s.apply(s.tr.insertText("Today ", 2));
  const spoken = spokenIn(after.doc);
  const first = spoken[0]!;
  assert.equal(after.doc.textBetween(first.from, first.to), "Milo");
  assert.equal(first.start, spokenIn(s.doc)[0]!.start);
});

test("a flag is found by the time of its words", () => {
  const exact: NoteDocument = { ...note, sections: [{ key: "a", heading: "A", runs: [{ text: "Milo is four.", source: { kind: "speech", start: 0, end: 2.8, words: [0, 1, 2] } }] }] };
  const doc = buildDoc(exact, words);
  const range = flagRange(spokenIn(doc), flag({}));
  assert.ok(range);
  assert.equal(doc.textBetween(range.from, range.to), "four.");
  assert.equal(flagRange(spokenIn(doc), flag({ start: 50, end: 51 })), undefined);
});

test("what is open comes in the order of the recording, settled flags not at all", () => {
  assert.deepEqual(doubtsOf(note).map((d) => d.id || d.kind), ["f", "blank", "late", "none"]);
  assert.deepEqual(doubtsOf({ ...note, flags: null, blanks: null }), []);
});
