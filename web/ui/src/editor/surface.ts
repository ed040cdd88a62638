// The text itself: ProseMirror with the voice laid over it.
import { baseKeymap, splitBlock } from "prosemirror-commands";
import { history, redo, undo } from "prosemirror-history";
import { keymap } from "prosemirror-keymap";
import type { Node } from "prosemirror-model";
import { EditorState, TextSelection, type Command, type Transaction } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { placeFor } from "../document.ts";
import type { Flag, SectionText } from "../types.ts";
import { deleteAcross, guard, structure } from "./guard.ts";
import { schema, textLine, toTexts } from "./schema.ts";
import { SectionView } from "./section.ts";
import { flagRange, overlay, voicePlugin } from "./voice.ts";

const silentChange = "vesper-silent"; // meta of changes that are not the person's

export interface Hooks { typed(): void; playFrom(time: number): void }

// newLine begins a new line; a selection across sections is emptied section by section first.
const newLine: Command = (state, dispatch) => {
  const across = deleteAcross(state);
  if (!across) return splitBlock(state, dispatch);
  dispatch?.(across.split(across.selection.from).scrollIntoView());
  return true;
};

// jump selects from one end of the note (0 is the beginning, 1 the end) to another. Browsers leave headings that cannot be
// edited half selected.
const jump = (from: 0 | 1, to: 0 | 1): Command => (state, dispatch) => {
  const place = (end: 0 | 1) => state.doc.resolve(end === 0 ? 2 : state.doc.content.size - 2);
  dispatch?.(state.tr.setSelection(TextSelection.between(place(from), place(to))).scrollIntoView());
  return true;
};

export class Surface {
  readonly view: EditorView;
  following = true;

  constructor(place: HTMLElement, doc: Node, flags: Flag[], editable: boolean, private readonly hooks: Hooks) {
    this.view = new EditorView(place, {
      state: this.state(doc, flags),
      editable: () => editable,
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": "Text of the note", spellcheck: "true", lang: "en", class: "note" },
      nodeViews: { section: (node) => new SectionView(node) },
      dispatchTransaction: (tr) => this.dispatch(tr),
      handleDOMEvents: { dblclick: (_v, e) => this.playAt(e), click: (_v, e) => (e.altKey ? this.playAt(e) : false) },
    });
  }

  private state(doc: Node, flags: Flag[]): EditorState {
    const keys = {
      ...baseKeymap, Enter: newLine, "Shift-Enter": newLine, "Mod-a": jump(0, 1), "Mod-Home": jump(0, 0), "Mod-End": jump(1, 1), "Mod-z": undo, "Mod-y": redo, "Mod-Shift-z": redo,
      "Mod-Enter": () => false, Escape: () => false,
    };
    return EditorState.create({ doc, plugins: [history(), guard(), keymap(keys), voicePlugin(flags)] });
  }

  private dispatch(tr: Transaction): void {
    this.view.updateState(this.view.state.apply(tr));
    if (!tr.docChanged || tr.getMeta(silentChange)) return;
    this.following = false;
    this.hooks.typed();
  }

  private playAt(e: MouseEvent): boolean {
    const pos = this.view.posAtCoords({ left: e.clientX, top: e.clientY })?.pos;
    const word = pos === undefined ? undefined : overlay.getState(this.view.state)?.words.find((w) => w.from <= pos && pos <= w.to);
    if (!word) return false;
    this.following = true;
    this.hooks.playFrom(word.start);
    return e.altKey;
  }

  texts(): SectionText[] { return toTexts(this.view.state.doc); }

  flags(flags: Flag[]): void { this.meta({ flags }); }

  spoken(time: number, playing: boolean): void {
    const before = overlay.getState(this.view.state)?.now;
    this.meta(playing ? { time } : { silence: true });
    const o = overlay.getState(this.view.state);
    if (playing && this.following && o && o.now >= 0 && o.now !== before) this.keepInView(o.words[o.now]!.from);
  }

  private meta(change: object): void {
    this.view.dispatch(this.view.state.tr.setMeta(overlay, change).setMeta("addToHistory", false));
  }

  private keepInView(pos: number): void {
    const box = this.view.coordsAtPos(pos);
    const top = 190; // below the header and the player
    const bottom = innerHeight - 90;
    if (box.top < top || box.bottom > bottom) scrollBy({ top: box.top - innerHeight * 0.45, behavior: "smooth" });
  }

  // refresh takes over the server's sources of words where the text is the same; the cursor and the undo stay.
  refresh(doc: Node): void {
    if (JSON.stringify(toTexts(doc)) !== JSON.stringify(this.texts())) return;
    const tr = this.view.state.tr.setMeta("addToHistory", false).setMeta(silentChange, true);
    tr.removeMark(0, tr.doc.content.size, schema.marks.voice);
    doc.descendants((node, pos) => {
      const voice = node.isText ? node.marks.find((m) => m.type === schema.marks.voice) : undefined;
      if (voice) tr.addMark(pos, pos + node.nodeSize, voice);
    });
    if (tr.docChanged) this.view.dispatch(tr);
  }

  replace(doc: Node, flags: Flag[]): void { this.view.updateState(this.state(doc, flags)); }

  select(from: number, to: number): void {
    const d = this.view.state.doc;
    this.view.dispatch(this.view.state.tr.setSelection(TextSelection.between(d.resolve(from), d.resolve(to))).scrollIntoView());
    this.keepInView(from);
    this.view.focus();
  }

  // find looks for a doubt: by the time of its words, else by its text, else the section's beginning.
  find(d: { start: number; end: number; text: string; section: string }): { from: number; to: number } | undefined {
    let found: { from: number; to: number } | undefined;
    this.view.state.doc.forEach((section, pos) => {
      if (section.attrs["key"] !== d.section) return;
      section.forEach((line, offset) => {
        const i = d.text ? line.textContent.indexOf(d.text) : -1;
        const start = pos + 1 + offset + 1;
        if (i >= 0 && !found) found = { from: start + i, to: start + i + d.text.length };
      });
      if (!found && d.end <= 0) found = { from: pos + 2, to: pos + 2 };
    });
    const byTime = d.end > 0 ? flagRange(overlay.getState(this.view.state)?.words ?? [], d as Flag) : undefined;
    return d.text.startsWith("[blank") ? found ?? byTime : byTime ?? found;
  }

  // append writes text at the end of a section, as the person's own change.
  append(key: string, text: string): void {
    const { doc } = this.view.state;
    doc.forEach((section, pos) => {
      if (section.attrs["key"] !== key && !(key === "" && pos === 0)) return;
      const end = pos + section.nodeSize - 2;
      const gap = section.textContent && !/\s$/.test(section.lastChild?.textContent ?? " ") ? " " : "";
      this.view.dispatch(this.view.state.tr.insertText(gap + text, end));
      this.select(end + gap.length, end + gap.length + text.length);
    });
  }

  addSection(key: string, heading: string, order: readonly string[]): void {
    const present = this.texts().map((s) => s.key);
    const index = placeFor(key, present, order);
    let pos = 0;
    this.view.state.doc.forEach((s, at, i) => { if (i < index) pos = at + s.nodeSize; });
    this.view.dispatch(this.view.state.tr.insert(pos, schema.node("section", { key, heading }, [textLine("")])).setMeta(structure, true));
    this.select(pos + 2, pos + 2);
  }
}
