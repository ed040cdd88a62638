import { test } from "node:test";
import assert from "node:assert/strict";
import { linesOf, piecesOf, placeFor, same, sectionText, textsOf } from "./document.ts";
import type { NoteDocument, Section, Word } from "./types.ts";

export const words: Word[] = ["milo", "is", "four", "weight", "eighteen", "kilograms"].map((text, i) => ({ text, start: i, end: i + 0.8, confidence: 0.9 }));

export const note: NoteDocument = {
  work_type: "progress",
  sections: [
    { key: "subjective", heading: "Subjective", runs: [
      { text: "Milo is four.", source: { kind: "speech", start: 0, end: 2.8, words: [0, 1, 2] } },
      { text: "\n", source: { kind: "template" } },
      { text: "Weight 18 kg.", source: { kind: "speech", start: 3, end: 5.8, words: [3, 4, 5], said: "weight eighteen kilograms" } },
    ] },
    { key: "objective", heading: "Objective", required: true, runs: [] },
    { key: "plan", heading: "Plan", runs: [
      { text: "[blank 0:07–0:08]", source: { kind: "blank", start: 7, end: 8 } },
      { text: " Rest.", source: { kind: "person", by: "p" } },
    ] },
  ],
  blanks: [{ start: 7, end: 8, section: "plan" }],
  flags: [],
};

test("lines hold exactly the section's text", () => {
  for (const s of note.sections) {
    assert.equal(linesOf(s, words).map((l) => l.map((p) => p.text).join("")).join("\n"), sectionText(s));
  }
});

test("each word has the time of its word in the transcript", () => {
  const first = linesOf(note.sections[0]!, words)[0]!.filter((p) => p.start !== undefined);
  assert.deepEqual(first.map((p) => [p.text, p.start, p.end]), [["Milo", 0, 0.8], ["is", 1, 1.8], ["four.", 2, 2.8]]);
});

test("where the text is not word for word what was heard, times are shared out in order within the span", () => {
  const pieces = piecesOf("Weight is 18 kg now.", { kind: "speech", start: 3, end: 5.8, words: [3, 4] }, words).filter((p) => p.start !== undefined);
  assert.equal(pieces.length, 5);
  let last = 3;
  for (const p of pieces) {
    assert.ok(p.start! >= last - 1e-9 && p.end! > p.start! && p.end! <= 5.8 + 1e-9, JSON.stringify(p));
    last = p.start!;
  }
});

test("typed text and layout have no time; a run that begins with the recording has", () => {
  assert.deepEqual(piecesOf("Rest.", { kind: "person" }, words), [{ text: "Rest." }]);
  assert.equal(piecesOf("Milo", { kind: "speech", end: 0.8, words: [0] }, words)[0]!.start, 0);
});

test("a run that names words which are not there falls back to its span", () => {
  const [p] = piecesOf("Milo", { kind: "speech", start: 1, end: 2, words: [99] }, words);
  assert.deepEqual([p!.start, p!.end], [1, 2]);
});

test("blank space at the ends is no difference, everything else is", () => {
  const a = textsOf(note);
  assert.ok(same(a, a.map((s) => ({ ...s, text: s.text + "\n " }))));
  assert.ok(same(a, a.filter((s) => s.text !== "")), "an empty section may be missing");
  assert.ok(!same(a, a.map((s) => ({ ...s, text: s.text.replace("18", "80") }))));
});

test("a new section comes to its place in the template", () => {
  const order = ["subjective", "vitals", "objective", "assessment", "plan"];
  assert.equal(placeFor("vitals", ["subjective", "objective", "plan"], order), 1);
  assert.equal(placeFor("plan", ["subjective"], order), 1);
  assert.equal(placeFor("subjective", ["objective"], order), 0);
});

test("sections without runs are one empty line", () => {
  const empty: Section = { key: "x", heading: "X", runs: [] };
  assert.deepEqual(linesOf(empty, words), [[]]);
});
