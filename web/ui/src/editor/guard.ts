// Keeps the sections whole while people select, delete, type and paste across them.
import { Fragment, Slice, type Node } from "prosemirror-model";
import { Plugin, TextSelection, type EditorState, type Transaction } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { schema, textLine } from "./schema.ts";

export const structure = "structure"; // meta of transactions that may change which sections there are

const keys = (doc: Node): string => {
  const all: string[] = [];
  doc.forEach((s) => all.push(s.attrs["key"] as string));
  return all.join("\n");
};

// deleteAcross empties the selection section by section. undefined when the selection lies in one section.
export function deleteAcross(state: EditorState): Transaction | undefined {
  const { from, to } = state.selection;
  const ranges: [number, number][] = [];
  let touched = 0;
  state.doc.forEach((section, pos) => {
    if (pos + section.nodeSize <= from || pos >= to) return;
    touched++;
    const a = Math.max(from, pos + 2);
    const b = Math.min(to, pos + section.nodeSize - 2);
    if (a < b) ranges.push([a, b]);
  });
  if (touched < 2) return undefined;
  const tr = state.tr;
  for (const [a, b] of ranges.reverse()) tr.delete(a, b);
  const at = Math.min(Math.max(from, 2), tr.doc.content.size - 2);
  return tr.setSelection(TextSelection.near(tr.doc.resolve(at)));
}

// lines turns whatever was copied into lines, with the times of words that come from this note.
function lines(slice: Slice): Slice {
  const out: Node[] = [];
  slice.content.descendants((node) => {
    if (node.type.name === "line") out.push(node);
    return node.type.name !== "line";
  });
  if (out.length === 0) return slice;
  return new Slice(Fragment.from(out), 1, 1);
}

export const guard = (): Plugin => new Plugin({
  filterTransaction: (tr, state) => !tr.docChanged || tr.getMeta(structure) === true || keys(tr.doc) === keys(state.doc),
  props: {
    handleKeyDown(view: EditorView, e: KeyboardEvent): boolean {
      if (e.key !== "Backspace" && e.key !== "Delete") return false;
      const tr = deleteAcross(view.state);
      if (tr) view.dispatch(tr.scrollIntoView());
      return !!tr;
    },
    handleTextInput(view, _from, _to, text): boolean {
      const tr = deleteAcross(view.state);
      if (tr) view.dispatch(tr.insertText(text, tr.selection.from).scrollIntoView());
      return !!tr;
    },
    handlePaste(view, _e, slice): boolean {
      const tr = deleteAcross(view.state);
      if (tr) view.dispatch(tr.replaceSelection(lines(slice)));
      return !!tr;
    },
    transformPasted: lines,
    clipboardTextParser: (text) => new Slice(Fragment.from(text.replace(/\r\n?/g, "\n").split("\n").map(textLine)), 1, 1),
    clipboardTextSerializer: (slice) => {
      const out: string[] = [];
      slice.content.descendants((node) => {
        if (node.type === schema.nodes.line) out.push(node.textContent);
        return node.type !== schema.nodes.line;
      });
      return out.length > 0 ? out.join("\n") : slice.content.textBetween(0, slice.content.size, "\n");
    },
  },
});
