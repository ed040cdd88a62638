// One document with fixed sections: headings are not text, so nobody can delete a section by accident.
import { Schema, type Node } from "prosemirror-model";
import { linesOf, type Line } from "../document.ts";
import type { NoteDocument, Section, SectionText, Word } from "../types.ts";

export const schema = new Schema({
  nodes: {
    doc: { content: "section+" },
    section: {
      content: "line+",
      isolating: true,
      defining: true,
      attrs: { key: { default: "" }, heading: { default: "" }, required: { default: false } },
      toDOM: (n) => ["section", { "data-key": n.attrs["key"] as string }, 0],
    },
    line: { content: "text*", toDOM: () => ["p", 0], parseDOM: [{ tag: "p" }] },
    text: {},
  },
  marks: {
    // voice ties words to their place in the recording. Words typed at its edge do not inherit it.
    voice: {
      attrs: { start: {}, end: {}, said: { default: "" } },
      inclusive: false,
      toDOM: (m) => {
        const said = m.attrs["said"] as string;
        return ["span", said ? { class: "voice", title: "Said: " + said } : { class: "voice" }, 0];
      },
    },
  },
});

export function buildDoc(doc: NoteDocument, words: readonly Word[]): Node {
  return schema.node("doc", null, doc.sections.map((s) => buildSection(s, words)));
}

export function buildSection(s: Section, words: readonly Word[]): Node {
  const attrs = { key: s.key, heading: s.heading, required: s.required ?? false };
  return schema.node("section", attrs, linesOf(s, words).map(buildLine));
}

export const textLine = (text: string): Node => schema.node("line", null, text ? [schema.text(text)] : []);

function buildLine(line: Line): Node {
  return schema.node("line", null, line.map((p) =>
    p.start === undefined ? schema.text(p.text) : schema.text(p.text, [schema.mark("voice", { start: p.start, end: p.end, said: p.said ?? "" })])));
}

// fromTexts builds a document from plain texts, such as a draft found on this device; headings come from a document.
export function fromTexts(texts: readonly SectionText[], headings: ReadonlyMap<string, string>): Node {
  return schema.node("doc", null, texts.map((t) =>
    schema.node("section", { key: t.key, heading: headings.get(t.key) ?? t.key.replaceAll("_", " ") }, t.text.split("\n").map(textLine))));
}

export function toTexts(doc: Node): SectionText[] {
  const out: SectionText[] = [];
  doc.forEach((section) => {
    const lines: string[] = [];
    section.forEach((line) => lines.push(line.textContent));
    out.push({ key: section.attrs["key"] as string, text: lines.join("\n") });
  });
  return out;
}

export interface Spoken { from: number; to: number; start: number; end: number }

// spokenIn lists the words of a document that have a time, in the order of the recording.
export function spokenIn(doc: Node): Spoken[] {
  const out: Spoken[] = [];
  doc.descendants((node, pos) => {
    const voice = node.isText ? node.marks.find((m) => m.type.name === "voice") : undefined;
    if (voice) out.push({ from: pos, to: pos + node.nodeSize, start: voice.attrs["start"] as number, end: voice.attrs["end"] as number });
    return !node.isText;
  });
  return out.sort((a, b) => a.start - b.start);
}
