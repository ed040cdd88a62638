// Two people, or two tabs, saved different texts: nothing is overwritten until somebody has read and decided.
import { get, words } from "../api.ts";
import { byID, make, toast } from "../dom.ts";
import { textsOf } from "../document.ts";
import type { Detail, SectionText, Version } from "../types.ts";

export function textBlock(sections: readonly SectionText[], headings: ReadonlyMap<string, string>): HTMLElement[] {
  return sections.filter((s) => s.text.trim()).flatMap((s) => [make("h3", {}, headings.get(s.key) ?? s.key), make("p", { class: "pre" }, s.text)]);
}

export async function askConflict(id: string, keepMine: (theirs: Version) => void, takeTheirs: (theirs: Detail) => void): Promise<void> {
  const dialog = byID<HTMLDialogElement>("conflict-dialog");
  if (dialog.open) return;
  let theirs: Detail;
  try {
    theirs = await get<Detail>(`/api/v1/dictations/${id}`);
  } catch (err) {
    toast(words(err));
    return;
  }
  const v = theirs.version;
  if (!v) return;
  const headings = new Map(v.document.sections.map((s) => [s.key, s.heading]));
  byID("conflict-text").replaceChildren(make("p", { class: "muted small" }, `Version ${v.number}${v.by ? " by " + v.by.name : ""}`), ...textBlock(textsOf(v.document), headings));
  byID("conflict-text").hidden = true;
  byID("conflict-read").onclick = () => { byID("conflict-text").hidden = false; };
  byID("conflict-mine").onclick = () => {
    dialog.close();
    keepMine(v);
  };
  byID("conflict-theirs").onclick = () => {
    dialog.close();
    takeTheirs(theirs);
  };
  dialog.oncancel = (e) => e.preventDefault(); // a decision is needed
  dialog.showModal();
}
