// Saves by itself, keeps a copy on this device until the server has it, and never writes over another's version.
import { Problem, put, words } from "../api.ts";
import { same } from "../document.ts";
import * as store from "../store.ts";
import type { SectionText, Version } from "../types.ts";

export interface Hooks {
  texts(): SectionText[];
  saved(v: Version): void;
  conflict(): void;
  say(text: string, tone: "" | "good" | "bad" | "busy"): void;
}

const quiet = 2000; // ms after the last change

export class Saver {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private backup: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<boolean> | undefined;
  private stopped = false; // by a conflict that a person must decide

  constructor(private readonly id: string, private readonly owner: string, public base: number, private last: SectionText[], private readonly hooks: Hooks) {}

  get dirty(): boolean { return !same(this.hooks.texts(), this.last); }

  changed(): void {
    if (!this.stopped) this.hooks.say("Editing…", "busy");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), quiet);
    clearTimeout(this.backup);
    this.backup = setTimeout(() => void this.keepDraft(), 300);
  }

  // adopt takes a version of the server as what is saved.
  adopt(v: Version, texts: SectionText[]): void {
    this.base = v.number;
    this.last = texts;
    this.stopped = false;
  }

  // flush saves what is not saved and says whether everything is on the server now.
  async flush(leaving = false): Promise<boolean> {
    clearTimeout(this.timer);
    if (leaving) {
      if (this.dirty && !this.running) void this.save(true);
      return false;
    }
    while (this.running) await this.running;
    if (this.stopped) {
      this.hooks.conflict();
      return false;
    }
    if (!this.dirty) {
      await store.dropDraft(this.id);
      this.hooks.say("Saved", "good");
      return true;
    }
    this.running = this.save(false);
    const ok = await this.running;
    this.running = undefined;
    return ok && !this.dirty ? true : ok ? this.flush() : false;
  }

  private async save(leaving: boolean): Promise<boolean> {
    const sections = this.hooks.texts();
    this.hooks.say("Saving…", "busy");
    try {
      const v = await put<Version>(`/api/v1/dictations/${this.id}/note`, { base: this.base, sections }, { keepalive: leaving });
      this.base = v.number;
      this.last = sections;
      if (!this.dirty) await store.dropDraft(this.id);
      this.hooks.say("Saved", "good");
      this.hooks.saved(v);
      return true;
    } catch (err) {
      await this.keepDraft();
      this.failed(err);
      return false;
    }
  }

  private failed(err: unknown): void {
    if (err instanceof Problem && err.code === "version_conflict") {
      this.stopped = true;
      this.hooks.say("Another version was saved", "bad");
      this.hooks.conflict();
      return;
    }
    const later = !(err instanceof Problem) || err.status === 0 || err.status >= 500 || err.status === 429;
    this.hooks.say(later ? "Not saved: no connection. Your text is kept on this device." : "Not saved: " + words(err), "bad");
    if (later) this.timer = setTimeout(() => void this.flush(), 5000);
  }

  private async keepDraft(): Promise<void> {
    clearTimeout(this.backup);
    const sections = this.hooks.texts();
    if (same(sections, this.last)) return;
    await store.keepDraft({ id: this.id, owner: this.owner, base: this.base, at: Date.now(), sections }).catch(() => undefined);
  }
}
