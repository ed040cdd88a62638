// The list beside the text: what a person must settle, in the order of the recording.
import { button, byID, make } from "../dom.ts";
import { clock } from "../time.ts";
import type { Flag, NoteDocument } from "../types.ts";

export interface Doubt { id: string; kind: string; critical: boolean; title: string; detail: string; section: string; start: number; end: number; text: string }

const titles: Record<string, string> = {
  low_confidence: "Heard unclearly", two_readings: "Could be two things", unreliable: "Unreliable stretch", number: "Number to check", drug_name: "Drug name to check", heading: "Perhaps a heading", struck: "Taken out by the engine's check", scratched: "Taken back by the speaker",
  missing_section: "Section without text", missing_statement: "Not stated", blank: "Blank", more: "More places", side: "Left or right", sex: "Sex does not fit",
  age: "Age does not fit", allergy: "Allergies do not fit", drug_stopped: "Stopped or not", dose: "Unusual dose", sound_alike: "Drugs that sound alike",
  unknown_word: "No known word",
  correction: "Corrected by the speaker",
  request: "Asked for by the author",
  text_block: "Text of the author not found",
  identity: "Perhaps another patient", unsafe_abbreviation: "Unsafe abbreviation", repair: "Put right by sound",
};

// doubtsOf is what is open in a document: blanks and unsettled flags, sorted by time; what has no time comes last.
export function doubtsOf(doc: NoteDocument): Doubt[] {
  const out: Doubt[] = [];
  for (const b of doc.blanks ?? []) {
    out.push({
      id: "", kind: "blank", critical: true, title: "Blank", detail: "Listen and write over it what is said, or remove it.", section: b.section,
      start: b.start, end: b.end, text: `[blank ${clock(b.start)}–${clock(b.end)}]`,
    });
  }
  for (const f of doc.flags ?? []) {
    if (!f.settled) out.push(fromFlag(f));
  }
  const place = (d: Doubt) => (d.end > 0 ? d.start : Infinity);
  return out.sort((a, b) => Number(place(a) > place(b)) - Number(place(a) < place(b)));
}

const fromFlag = (f: Flag): Doubt => ({
  id: f.id, kind: f.kind, critical: f.severity === "critical", title: titles[f.kind] ?? "Doubt", detail: f.detail, section: f.section ?? "",
  start: f.start, end: f.end, text: f.text,
});

export interface Acts {
  listen(d: Doubt): void;
  show(d: Doubt): void;
  settle(d: Doubt, how: string): void;
  putBack(d: Doubt): void;
}

export function drawDoubts(all: Doubt[], acts: Acts): void {
  byID("doubt-count").textContent = all.length > 0 ? String(all.length) : "";
  byID("doubts-none").hidden = all.length > 0;
  byID<HTMLButtonElement>("next-doubt").hidden = all.length === 0;
  byID("doubts").replaceChildren(...all.map((d, i) => line(d, i, acts)));
}

function line(d: Doubt, i: number, acts: Acts): HTMLElement {
  const quote = d.kind === "missing_section" || d.kind === "missing_statement" ? "" : d.text;
  return make("li", { class: "doubt" + (d.critical ? " critical" : ""), "data-i": String(i), "data-flag": d.id },
    make("div", { class: "spread" }, make("b", {}, d.title), d.critical ? make("span", { class: "chip bad" }, "Before signing") : null),
    quote ? make("button", { type: "button", class: "quote" }, quote) : null,
    make("div", { class: "small muted" }, d.detail),
    make("div", { class: "row" }, ...buttons(d, acts)));
}

function buttons(d: Doubt, acts: Acts): HTMLElement[] {
  const out: HTMLElement[] = [];
  if (d.end > 0) out.push(button("▶ " + clock(d.start), "small", () => acts.listen(d)));
  out.push(button("Show", "small quiet", () => acts.show(d)));
  switch (d.kind) {
    case "blank":
      break;
    case "struck":
    case "scratched":
      out.push(button("Put back", "small", () => acts.putBack(d)), button("Leave out", "small settle", () => acts.settle(d, "left out")));
      break;
    case "missing_section":
    case "missing_statement":
      out.push(button("Not dictated", "small settle", () => acts.settle(d, "not dictated")));
      break;
    default:
      out.push(button("It is right", "small settle", () => acts.settle(d, "heard")));
  }
  return out;
}

const removedWords: Record<string, string> = {
  command: "spoken command", heading: "spoken heading", title: "spoken title", scratched: "taken back by the speaker", non_speech: "noise",
};

// Taken is something said that does not stand in the text as words; the server puts it back by its id.
export interface Taken { id: string; text: string; reason: string; start: number; end: number }

const takenID = (places: readonly number[]) => `w${Math.min(...places)}-${Math.max(...places)}`;

// takenOf lists what was taken out and what commands wrote, in the order of the recording.
export function takenOf(doc: NoteDocument): Taken[] {
  const out: Taken[] = (doc.removed ?? []).map((r) => ({ id: takenID(r.words ?? []), text: r.text, reason: r.reason, start: r.start, end: r.end }));
  for (const run of doc.sections.flatMap((s) => s.runs)) {
    const { command, words, said, start, end } = run.source;
    if (!command || !words || words.length === 0) continue;
    const written = run.text.trim();
    out.push({ id: takenID(words), text: (said ?? written) + (written && said ? ` → ${written}` : ""), reason: "command", start: start ?? 0, end: end ?? 0 });
  }
  return out.sort((a, b) => a.start - b.start);
}

export function drawRemoved(doc: NoteDocument, listen: (start: number, end: number) => void, putBack: (id: string) => void): void {
  const all = takenOf(doc);
  byID("removed-box").hidden = all.length === 0;
  byID("removed-count").textContent = String(all.length);
  byID("removed").replaceChildren(...all.map((r) => make("li", { class: "doubt" },
    make("div", {}, "“" + r.text + "”"),
    make("div", { class: "row" }, make("span", { class: "small muted" }, removedWords[r.reason] ?? r.reason),
      button("▶ " + clock(r.start), "small", () => listen(r.start, r.end)), button("Put back", "small", () => putBack(r.id))))));
}
