// The editor's desk: text, recording, doubts and saving brought together.
import { get, post, postEmpty, Problem, words } from "../api.ts";
import { askReason, confirmed } from "../dialog.ts";
import { busy, byID, make, maybe, showError, toast } from "../dom.ts";
import { same, textsOf } from "../document.ts";
import { Overview } from "../overview.ts";
import { Player } from "../player.ts";
import * as store from "../store.ts";
import type { Detail, Version, WorkType } from "../types.ts";
import { Binding } from "./bind.ts";
import { keepClaim } from "./claim.ts";
import { askConflict, textBlock } from "./conflict.ts";
import { doubtsOf, drawDoubts, drawRemoved, takenOf, type Doubt } from "./doubts.ts";
import { drawPromises } from "./promises.ts";
import { Saver } from "./saver.ts";
import { buildDoc, fromTexts } from "./schema.ts";
import { Surface } from "./surface.ts";
import { Tabs } from "./tabs.ts";

export class Desk {
  private readonly player: Player | null;
  private readonly overview: Overview | null;
  private readonly surface: Surface;
  private readonly saver: Saver;
  private readonly binding: Binding;
  private readonly tabs: Tabs;
  private doubts: Doubt[] = [];
  private doubt = -1;
  private version: Version;
  private done = false;

  static async open(detail: Detail, author: boolean): Promise<void> {
    const desk = new Desk(detail, author);
    await desk.offerDraft();
  }

  private constructor(private detail: Detail, private readonly author: boolean) {
    this.version = detail.version!;
    this.player = detail.has_audio ? Player.open() : null;
    this.overview = this.player ? new Overview(byID<HTMLCanvasElement>("overview")) : null;
    const place = byID("editor");
    place.replaceChildren();
    place.removeAttribute("aria-busy");
    this.surface = new Surface(place, buildDoc(this.version.document, this.words), this.version.document.flags ?? [], true, {
      typed: () => this.saver.changed(), playFrom: (t) => this.player?.playFrom(t),
    });
    this.saver = new Saver(detail.id, document.body.dataset["person"] ?? "", this.version.number, this.surface.texts(), {
      texts: () => this.surface.texts(), saved: (v) => this.saved(v), conflict: () => this.conflict(), say: (t, tone) => this.say(t, tone),
    });
    this.binding = new Binding(detail, true, (d) => { this.detail = { ...d, version: this.version }; });
    this.tabs = new Tabs(detail.id, (n) => { byID("other-tab").hidden = n === 0; }, (n) => void this.otherTabSaved(n));
    this.player?.onTime((t) => this.surface.spoken(t, this.player!.playing));
    if (!author) keepClaim(detail.id, (why) => showError("edit-error", why + " Your text is still in this window."));
    this.show();
    this.bindKeys();
    this.bindButtons();
    this.offerSections();
    this.say("Saved", "good");
  }

  private get words() { return this.detail.transcript?.words ?? []; }

  private say(text: string, tone: string): void {
    const el = byID("save-state");
    if (el.textContent !== text) el.textContent = text;
    el.dataset["tone"] = tone;
  }

  // show draws what follows from the newest version: doubts, marks in the text, overview.
  private show(): void {
    const doc = this.version.document;
    this.doubts = doubtsOf(doc);
    drawDoubts(this.doubts, {
      listen: (d) => this.player?.playSpans([[Math.max(0, d.start - 1), d.end + 0.7]]), show: (d) => this.reveal(d),
      settle: (d, how) => void this.settle(d, how), putBack: (d) => this.putBack(d),
    });
    for (const q of document.querySelectorAll<HTMLElement>("#doubts .quote")) {
      q.onclick = () => this.reveal(this.doubts[Number(q.closest<HTMLElement>("[data-i]")!.dataset["i"])]!);
    }
    drawRemoved(doc, (a, b) => this.player?.playSpans([[a, b]]), (id) => void this.restore(id));
    drawPromises(doc, (a, b) => this.player?.playSpans([[a, b]]));
    this.surface.flags(doc.flags ?? []);
    const marks = this.doubts.filter((d) => d.end > 0).map((d) => ({ start: d.start, end: d.end, critical: d.critical }));
    this.overview?.show(this.detail.transcript?.spans ?? [], marks, this.detail.transcript?.audio.seconds ?? this.detail.seconds);
    const send = maybe<HTMLButtonElement>("send-button");
    if (send && !send.hasAttribute("aria-busy")) send.disabled = false;
  }

  private reveal(d: Doubt): void {
    this.surface.following = false;
    const place = this.surface.find(d);
    if (place) this.surface.select(place.from, place.to);
    else toast("These words do not stand in the text any more.");
  }

  private nextDoubt(): void {
    if (this.doubts.length === 0) return;
    this.doubt = (this.doubt + 1) % this.doubts.length;
    const d = this.doubts[this.doubt]!;
    for (const li of document.querySelectorAll<HTMLElement>("#doubts > li")) li.classList.toggle("current", li.dataset["i"] === String(this.doubt));
    document.querySelector("#doubts > li.current")?.scrollIntoView({ block: "nearest" });
    this.reveal(d);
    if (d.end > 0) this.player?.playSpans([[Math.max(0, d.start - 1), d.end + 0.7]]);
  }

  private async settle(d: Doubt, how: string): Promise<void> {
    if (!(await this.saver.flush())) return;
    try {
      const v = await post<Version>(`/api/v1/dictations/${this.detail.id}/flags/${encodeURIComponent(d.id)}/settle`, { base: this.saver.base, how });
      this.saver.base = v.number;
      this.saved(v);
    } catch (err) {
      if (err instanceof Problem && err.code === "version_conflict") this.conflict();
      else toast(words(err));
    }
  }

  // putBack undoes what a doubt is about: words that were taken back stand where they were said, struck ones at the end.
  private putBack(d: Doubt): void {
    const taken = takenOf(this.version.document).find((t) => t.reason === "scratched" && t.start <= d.end && t.end >= d.start);
    if (taken) void this.restore(taken.id);
    else this.surface.append(d.section, d.text);
  }

  // restore lets the server put words back where they were said; the new version takes the place of the text.
  private async restore(taken: string): Promise<void> {
    if (!(await this.saver.flush())) return;
    try {
      const v = await post<Version>(`/api/v1/dictations/${this.detail.id}/restore`, { base: this.saver.base, taken });
      this.take({ ...this.detail, version: v });
      this.tabs.tellSaved(v.number);
    } catch (err) {
      if (err instanceof Problem && err.code === "version_conflict") this.conflict();
      else toast(words(err));
    }
  }

  private saved(v: Version): void {
    this.version = v;
    this.surface.refresh(buildDoc(v.document, this.words));
    this.show();
    this.tabs.tellSaved(v.number);
  }

  private take(d: Detail): void {
    if (!d.version) return;
    this.version = d.version;
    this.surface.replace(buildDoc(d.version.document, this.words), d.version.document.flags ?? []);
    this.saver.adopt(d.version, this.surface.texts());
    void store.dropDraft(this.detail.id);
    this.show();
    this.say("Saved", "good");
  }

  private conflict(): void {
    void askConflict(this.detail.id, (theirs) => {
      this.saver.adopt(theirs, textsOf(theirs.document));
      void this.saver.flush();
    }, (theirs) => this.take(theirs));
  }

  private async otherTabSaved(number: number): Promise<void> {
    if (this.done || number <= this.saver.base || this.saver.dirty) return;
    try {
      this.take(await get<Detail>(`/api/v1/dictations/${this.detail.id}`, { background: true }));
    } catch {
      // the next save tells
    }
  }

  // offerDraft finds text that never reached the server: after a crash, or when the network was away to the end.
  private async offerDraft(): Promise<void> {
    const draft = await store.draft(this.detail.id).catch(() => undefined);
    if (!draft || draft.owner !== document.body.dataset["person"] || same(draft.sections, this.surface.texts())) return;
    const dialog = byID<HTMLDialogElement>("restore-dialog");
    const headings = new Map(this.version.document.sections.map((s) => [s.key, s.heading]));
    byID("restore-help").textContent = `It was written ${new Date(draft.at).toLocaleString()} and did not reach the server.` +
      (draft.base < this.version.number ? " Since then another version was saved." : "");
    byID("restore-text").replaceChildren(...textBlock(draft.sections, headings));
    byID("restore-drop").onclick = () => {
      void store.dropDraft(this.detail.id);
      dialog.close();
    };
    byID("restore-use").onclick = () => {
      this.surface.replace(fromTexts(draft.sections, headings), this.version.document.flags ?? []);
      this.saver.changed();
      dialog.close();
    };
    dialog.showModal();
  }

  private bindKeys(): void {
    document.addEventListener("keydown", (e) => {
      if (!(e.ctrlKey || e.metaKey) || document.querySelector("dialog[open]")) return;
      const act = {
        ".": () => this.nextDoubt(), " ": () => { this.surface.following = true; }, s: () => void this.saver.flush(),
        Enter: () => maybe("send-button")?.click(),
      }[e.key];
      if (!act) return;
      e.preventDefault();
      act();
    });
    byID("next-doubt").addEventListener("click", () => this.nextDoubt());
  }

  private bindButtons(): void {
    this.surface.view.dom.addEventListener("blur", () => { if (this.saver.dirty) void this.saver.flush(); });
    addEventListener("pagehide", () => { if (!this.done) void this.saver.flush(true); });
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden" && this.saver.dirty) void this.saver.flush(); });
    addEventListener("beforeunload", (e) => { if (!this.done && this.saver.dirty) e.preventDefault(); });
    const send = maybe<HTMLButtonElement>("send-button");
    send?.addEventListener("click", () => void this.send(send));
    for (const leave of [byID<HTMLAnchorElement>("leave"), maybe<HTMLAnchorElement>("back-to-sign")]) {
      leave?.addEventListener("click", (e) => {
        if (!this.saver.dirty) return;
        e.preventDefault();
        void this.saver.flush().then((ok) => { if (ok) this.go(leave.getAttribute("href")!); });
      });
    }
    if (this.author) return;
    const release = byID<HTMLButtonElement>("release-button");
    release.addEventListener("click", () => void busy(release, () => this.leaveBy(() => postEmpty(`/api/v1/dictations/${this.detail.id}/release`))));
    byID("reject-button").addEventListener("click", () => askReason(
      { title: "Reject this recording", help: "It goes back to the physician with this reason. Leave out what belongs to the patient.", ok: "Reject", danger: true },
      async (reason) => {
        await post(`/api/v1/dictations/${this.detail.id}/reject`, { reason });
        this.go("/queue");
      }));
  }

  private async leaveBy(step: () => Promise<unknown>): Promise<void> {
    if (!(await this.saver.flush())) return;
    try {
      await step();
      this.go("/queue");
    } catch (err) {
      showError("edit-error", words(err));
    }
  }

  private async send(b: HTMLButtonElement): Promise<void> {
    if (this.binding.missing) {
      await this.binding.open();
      return;
    }
    await busy(b, async () => {
      if (!(await this.saver.flush())) return;
      const open = this.doubts.filter((d) => d.critical).length;
      if (open > 0 && !(await confirmed("Send with open points?", `${open} ${open === 1 ? "point is" : "points are"} not settled. The physician must settle ${open === 1 ? "it" : "them"} before signing.`, "Send all the same"))) return;
      await this.leaveBy(() => post(`/api/v1/dictations/${this.detail.id}/send`, { version: this.saver.base }));
    });
  }

  private go(path: string): void {
    this.done = true;
    void store.dropDraft(this.detail.id).finally(() => location.assign(path));
  }

  private offerSections(): void {
    const types = JSON.parse(byID("work-types").textContent ?? "[]") as WorkType[];
    const type = types.find((t) => t.key === this.version.document.work_type);
    const select = byID<HTMLSelectElement>("add-section");
    const draw = () => {
      const present = new Set(this.surface.texts().map((s) => s.key));
      const missing = (type?.sections ?? []).filter((s) => !present.has(s.key));
      select.replaceChildren(...missing.map((s) => make("option", { value: s.key }, s.heading)));
      byID("add-section-box").hidden = missing.length === 0;
    };
    draw();
    byID("add-section-button").addEventListener("click", () => {
      const chosen = select.selectedOptions[0];
      if (!chosen) return;
      this.surface.addSection(chosen.value, chosen.text, (type?.sections ?? []).map((s) => s.key));
      draw();
    });
  }
}
