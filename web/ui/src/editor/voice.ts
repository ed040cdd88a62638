// What is laid over the text: the word being spoken, doubts, blanks, and hints in empty sections.
import { Plugin, PluginKey, type EditorState } from "prosemirror-state";
import { Decoration, DecorationSet } from "prosemirror-view";
import type { Node } from "prosemirror-model";
import { blankForm } from "../document.ts";
import { at } from "../time.ts";
import type { Flag } from "../types.ts";
import { spokenIn, type Spoken } from "./schema.ts";

interface Overlay { words: Spoken[]; flags: Flag[]; now: number; still: DecorationSet; all: DecorationSet }
type Change = { time: number } | { flags: Flag[] } | { silence: true };

export const overlay = new PluginKey<Overlay>("overlay");

export function flagRange(words: readonly Spoken[], f: Flag): { from: number; to: number } | undefined {
  const hit = words.filter((w) => w.start < f.end - 0.01 && w.end > f.start + 0.01);
  if (hit.length === 0) return undefined;
  return { from: Math.min(...hit.map((w) => w.from)), to: Math.max(...hit.map((w) => w.to)) };
}

const textless = new Set(["missing_section", "missing_statement", "more", "struck", "scratched", "unreliable"]); // flags whose words do not stand in the text

function still(doc: Node, words: Spoken[], flags: readonly Flag[]): DecorationSet {
  const out: Decoration[] = [];
  for (const f of flags) {
    if (f.settled || textless.has(f.kind)) continue;
    for (const w of words) {
      if (w.start < f.end - 0.01 && w.end > f.start + 0.01) out.push(Decoration.inline(w.from, w.to, { class: f.severity === "critical" ? "doubtful critical" : "doubtful", title: f.detail }));
    }
  }
  doc.forEach((section, pos) => {
    if (!section.textContent.trim() && section.childCount === 1) out.push(Decoration.node(pos + 1, pos + 1 + section.child(0).nodeSize, { class: "empty-line" }));
  });
  doc.descendants((node, pos) => {
    if (node.type.name !== "line") return true;
    for (const m of node.textContent.matchAll(blankForm)) out.push(Decoration.inline(pos + 1 + m.index, pos + 1 + m.index + m[0].length, { class: "blank" }));
    return false;
  });
  return DecorationSet.create(doc, out);
}

function withSpoken(o: Overlay, doc: Node): Overlay {
  const w = o.words[o.now];
  return { ...o, all: w ? o.still.add(doc, [Decoration.inline(w.from, w.to, { class: "spoken" })]) : o.still };
}

export const voicePlugin = (flags: Flag[]): Plugin<Overlay> => new Plugin<Overlay>({
  key: overlay,
  state: {
    init: (_c, state) => {
      const words = spokenIn(state.doc);
      const s = still(state.doc, words, flags);
      return { words, flags, now: -1, still: s, all: s };
    },
    apply(tr, old) {
      const change = tr.getMeta(overlay) as Change | undefined;
      let next = old;
      if (tr.docChanged || (change && "flags" in change)) {
        const words = tr.docChanged ? spokenIn(tr.doc) : old.words;
        const all = change && "flags" in change ? change.flags : old.flags;
        next = { words, flags: all, now: tr.docChanged ? -1 : old.now, still: still(tr.doc, words, all), all: old.all };
      }
      if (change && "time" in change) next = { ...next, now: at(next.words, change.time) };
      if (change && "silence" in change) next = { ...next, now: -1 };
      return next === old ? old : withSpoken(next, tr.doc);
    },
  },
  props: { decorations: (state: EditorState) => overlay.getState(state)?.all },
});
