// Shows what is on this device, and lets a person decide where the server will not take a recording.
import { confirmed } from "./dialog.ts";
import { button, byID, make } from "./dom.ts";
import { remove } from "./live.ts";
import { percent, say, step, type Item } from "./outbox.ts";
import * as store from "./store.ts";
import { clock, size } from "./time.ts";

export class OutboxList {
  private readonly shown = new Map<string, Item>();

  constructor(private readonly owner: string, private readonly kick: () => void) {
    addEventListener("online", () => this.draw());
    addEventListener("offline", () => this.draw());
  }

  async load(live: (key: string) => boolean): Promise<void> {
    for (const i of await store.items(this.owner)) {
      if (i.phase === "received") await store.drop(i.key);
      else if (!live(i.key)) this.shown.set(i.key, i);
    }
    this.draw();
  }

  put(i: Item): void {
    this.shown.set(i.key, i);
    this.draw();
  }

  remove(key: string): void {
    this.shown.delete(key);
    this.draw();
  }

  private draw(): void {
    const list = byID("outbox");
    list.replaceChildren(...[...this.shown.values()].map((i) => this.line(i)));
    byID("outbox-empty").hidden = this.shown.size > 0;
  }

  private line(i: Item): HTMLElement {
    const facts = [i.label, i.seconds ? clock(i.seconds) + " min" : i.name, i.bytes ? size(i.bytes) : ""].filter(Boolean).join(" · ");
    const li = make("li", { class: "item", "data-phase": i.phase, "data-testid": "outbox-item" },
      make("span", { class: "title where" }, say(i, navigator.onLine)),
      make("span", { class: "meta" }, facts));
    if (i.phase === "uploading") {
      const bar = make("progress", { class: "thin", max: "100", "aria-label": "Uploaded" });
      bar.value = percent(i);
      li.append(bar);
    }
    const acts = this.acts(i);
    if (acts.length > 0) li.append(make("span", { class: "row wide-row" }, ...acts));
    return li;
  }

  private acts(i: Item): HTMLElement[] {
    switch (i.phase) {
      case "received":
        return [make("a", { class: "btn small", href: "/dictations/" + i.dictation }, "Follow it")];
      case "refused":
        return [button("Try again", "small", () => this.change(step(i, { kind: "retry" }))), button("Save as a file", "small", () => void saveFile(i)), this.discard(i)];
      case "recording":
        return [button("Send what was recorded", "small primary", () => this.change(step(i, { kind: "stopped", seconds: i.seconds, bytes: i.bytes, chunks: i.chunks }))), this.discard(i)];
      case "waiting":
        return i.problem ? [button("Try now", "small", this.kick), button("Save as a file", "small", () => void saveFile(i))] : [];
      default:
        return [];
    }
  }

  private change(i: Item): void {
    void store.keep(i).then(() => {
      this.put(i);
      this.kick();
    });
  }

  private discard(i: Item): HTMLElement {
    return button("Discard", "small danger", () => {
      void confirmed("Discard this recording?", "It was not received and exists only on this device.", "Discard", true).then(async (yes) => {
        if (!yes) return;
        await store.drop(i.key);
        this.remove(i.key);
        if (i.url) await remove(i.url); // of a recording that was sent while it was being made
      });
    });
  }
}

async function saveFile(i: Item): Promise<void> {
  const url = URL.createObjectURL(await store.recording(i));
  const a = make("a", { href: url, download: i.name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
