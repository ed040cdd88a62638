// What the physician promised, beside the text: when, to whom, and what an edit did to it.
import { button, byID, make } from "../dom.ts";
import { clock } from "../time.ts";
import type { FollowUp, NoteDocument } from "../types.ts";

const kinds: Record<string, string> = {
  appointment: "Visit", referral: "Referral", lab: "Lab test", imaging: "Imaging", procedure: "Procedure",
  prior_authorization: "Prior authorization", letter: "Letter or form", call: "Call", medication_hold: "Held drug",
};
const owners: Record<string, string> = { practice: "by the practice", physician: "by the physician", patient: "by the patient" };

const withdrawn = (f: FollowUp): boolean => f.change?.how === "withdrawn";

// whenWords says when; beside a date that was computed stand the words of the note.
export function whenWords(f: FollowUp): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(f.due)) return f.due;
  const [y, m, d] = f.due.split("-").map(Number) as [number, number, number];
  const day = new Date(Date.UTC(y, m - 1, d)).toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return (f.kind === "medication_hold" ? "until " : "") + day + (f.due_words ? ` (${f.due_words})` : "");
}

// markOf is what a person should know before acting on it.
export function markOf(f: FollowUp): string {
  if (withdrawn(f)) return "Taken out by an edit";
  if (f.conditional) return f.condition ? "Only: " + f.condition : "Conditional";
  if (f.change) return f.change.how === "added" ? "Written by an editor" : "Changed by an edit";
  return "";
}

export function drawPromises(doc: NoteDocument, listen: (start: number, end: number) => void): void {
  const all = [...(doc.follow_ups ?? [])].sort((a, b) => Number(withdrawn(a)) - Number(withdrawn(b)));
  byID("promises-box").hidden = all.length === 0;
  byID("promises-count").textContent = String(all.length);
  byID("promises").replaceChildren(...all.map((f) => {
    const mark = markOf(f);
    const who = [f.to && f.to !== "practice" ? f.to : "", owners[f.owner] ?? ""].filter(Boolean).join(", ");
    return make("li", { class: "promise" + (withdrawn(f) ? " withdrawn" : "") },
      make("div", { class: "spread" }, make("b", {}, (kinds[f.kind] ?? f.kind) + (f.pending ? ", result awaited" : "")), mark ? make("span", { class: "chip warn" }, mark) : null),
      make("div", { class: "promise-text" }, f.text),
      make("div", { class: "row" }, make("span", { class: "small muted" }, [whenWords(f), who].filter(Boolean).join(" · ")),
        f.end > 0 ? button("▶ " + clock(f.start), "small", () => listen(f.start, f.end)) : null));
  }));
}
