import type { Node } from "prosemirror-model";
import type { NodeView } from "prosemirror-view";
import { make } from "../dom.ts";

// SectionView shows a section with its heading, which is not part of the editable text.
export class SectionView implements NodeView {
  readonly dom: HTMLElement;
  readonly contentDOM: HTMLElement;

  constructor(node: Node) {
    const heading = node.attrs["heading"] as string;
    this.contentDOM = make("div", { class: "body" });
    const title = make("h3", { contenteditable: "false" }, heading);
    this.dom = make("section", { class: "note-section", "data-key": node.attrs["key"] as string, role: "group", "aria-label": heading }, title, this.contentDOM);
  }

  update(node: Node): boolean {
    return node.type.name === "section" && node.attrs["key"] === this.dom.dataset["key"];
  }

  ignoreMutation(m: { target: globalThis.Node; type: string }): boolean {
    return m.type !== "selection" && !this.contentDOM.contains(m.target);
  }
}
