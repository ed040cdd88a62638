// Between the server's document (sections of runs with sources) and what the editor shows (lines of timed pieces). Pure.
import type { NoteDocument, Section, SectionText, Word } from "./types.ts";

export interface Piece { text: string; start?: number; end?: number; said?: string }
export type Line = Piece[];

export const sectionText = (s: Section): string => s.runs.map((r) => r.text).join("");

export const textsOf = (doc: NoteDocument): SectionText[] =>
  doc.sections.map((s) => ({ key: s.key, text: sectionText(s) }));

// same says whether two bodies hold the same text. Blank space at the ends of a section is no difference.
export function same(a: readonly SectionText[], b: readonly SectionText[]): boolean {
  const tidy = (all: readonly SectionText[]) => new Map(all.map((s) => [s.key, s.text.trim()]));
  const left = tidy(a);
  const right = tidy(b);
  return [...new Set([...left.keys(), ...right.keys()])].every((k) => (left.get(k) ?? "") === (right.get(k) ?? ""));
}

// linesOf cuts a section into lines of pieces; each spoken word is a piece with its time.
export function linesOf(section: Section, words: readonly Word[]): Line[] {
  const lines: Line[] = [[]];
  for (const run of section.runs) {
    for (const piece of piecesOf(run.text, run.source, words)) {
      piece.text.split("\n").forEach((text, i) => {
        if (i > 0) lines.push([]);
        if (text) lines[lines.length - 1]!.push({ ...piece, text });
      });
    }
  }
  return lines;
}

// piecesOf gives each word of a run its time: that of its word in the transcript, or, where the text is not word for word
// what was heard (numbers, layout), its share of the run's span.
export function piecesOf(text: string, source: Section["runs"][number]["source"], words: readonly Word[]): Piece[] {
  const { start, end } = source;
  if ((source.kind !== "speech" && source.kind !== "blank") || start === undefined && end === undefined) return [{ text }];
  const from = start ?? 0;
  const to = end ?? from;
  const extra = source.said ? { said: source.said } : {};
  if (source.kind === "blank") return [{ text, start: from, end: to }];
  const parts = text.match(/\s+|\S+/g) ?? [];
  const spoken = parts.filter((p) => /\S/.test(p));
  const heard = (source.words ?? []).map((i) => words[i]);
  const exact = heard.length === spoken.length && heard.every((w) => w !== undefined);
  const total = Math.max(1, text.length);
  let offset = 0;
  let n = 0;
  return parts.map((part) => {
    const at = offset;
    offset += part.length;
    if (!/\S/.test(part)) return { text: part };
    const word = exact ? heard[n++]! : { start: from + ((to - from) * at) / total, end: from + ((to - from) * offset) / total };
    return { text: part, start: word.start, end: word.end, ...extra };
  });
}

// blankForm is how a blank stands in the text: [blank 0:12–0:14].
export const blankForm = /\[blank \d+:\d\d(?::\d\d)?–\d+:\d\d(?::\d\d)?\]/g;

// placeFor finds where a section belongs that the note does not have yet: before the first one that comes later in the
// template.
export function placeFor(key: string, present: readonly string[], order: readonly string[]): number {
  const mine = order.indexOf(key);
  const i = present.findIndex((k) => order.indexOf(k) > mine);
  return i < 0 ? present.length : i;
}
