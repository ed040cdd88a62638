// The recording's player, the same on all pages: keys, speed, back-step on resume, spans of single sentences.
import { byID, maybe } from "./dom.ts";
import { clock, resumeAt } from "./time.ts";

const backStep = 1.5; // seconds that are heard again after a pause
const skip = 3; // seconds of one press of back or forward
const speedKey = "vesper-speed";

export class Player {
  readonly audio = new Audio();
  private stopAt = Infinity; // end of the span being played
  private queue: [number, number][] = [];
  private told = 0; // ms: when the page last heard that somebody listens
  private resumed = false; // whether the next play goes on after a pause
  private listeners: ((time: number) => void)[] = [];

  constructor(private readonly box: HTMLElement) {
    box.hidden = false;
    this.audio.preload = "metadata";
    this.audio.src = box.dataset["src"] ?? "";
    box.append(this.audio);
    this.bind();
  }

  static open(): Player | null {
    const box = maybe("player");
    return box ? new Player(box) : null;
  }

  get time(): number { return this.audio.currentTime; }
  get playing(): boolean { return !this.audio.paused; }

  onTime(f: (time: number) => void): void { this.listeners.push(f); }

  toggle(): void {
    if (this.playing) this.pause();
    else this.resume();
  }

  pause(): void {
    this.audio.pause();
    this.resumed = true;
  }

  resume(): void {
    this.stopAt = Infinity;
    this.queue = [];
    if (this.resumed && this.audio.currentTime > 0 && !this.audio.ended) this.audio.currentTime = resumeAt(this.audio.currentTime, backStep);
    this.resumed = false;
    void this.start();
  }

  playFrom(time: number): void {
    this.stopAt = Infinity;
    this.queue = [];
    this.seek(time);
    void this.start();
  }

  // playSpans plays stretches one after the other, each with a breath before and after.
  playSpans(spans: [number, number][]): void {
    const [first, ...rest] = spans;
    if (!first) return;
    this.queue = rest;
    this.seek(Math.max(0, first[0] - 0.15));
    this.stopAt = first[1] + 0.25;
    void this.start();
  }

  seek(time: number): void {
    this.resumed = false;
    this.audio.currentTime = Math.max(0, time);
    this.tick();
  }

  move(by: number): void { this.seek(this.audio.currentTime + by); }

  private async start(): Promise<void> {
    try {
      await this.audio.play();
    } catch {
      this.box.dataset["problem"] = "1"; // shown by the error event
    }
  }

  private bind(): void {
    const play = byID<HTMLButtonElement>("play");
    const seek = byID<HTMLInputElement>("play-seek");
    const speed = byID<HTMLSelectElement>("play-speed");
    play.addEventListener("click", () => this.toggle());
    byID("play-back").addEventListener("click", () => this.move(-skip));
    byID("play-ahead").addEventListener("click", () => this.move(skip));
    seek.addEventListener("input", () => this.seek(Number(seek.value)));
    this.setSpeed(speed);
    this.audio.addEventListener("play", () => this.showState(play));
    this.audio.addEventListener("pause", () => this.showState(play));
    this.audio.addEventListener("loadedmetadata", () => this.length(seek));
    this.audio.addEventListener("error", () => {
      this.box.classList.add("broken");
      byID("play-at").textContent = "The recording cannot be played";
    });
    this.audio.addEventListener("timeupdate", () => this.tick());
    const frame = () => {
      if (this.playing) this.tick();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    document.addEventListener("keydown", (e) => this.key(e));
  }

  private setSpeed(select: HTMLSelectElement): void {
    const saved = localStorage.getItem(speedKey);
    if (saved && [...select.options].some((o) => o.value === saved)) select.value = saved;
    const apply = () => {
      this.audio.playbackRate = Number(select.value);
      this.audio.defaultPlaybackRate = Number(select.value);
      this.audio.preservesPitch = true;
      localStorage.setItem(speedKey, select.value);
    };
    apply();
    select.addEventListener("change", apply);
  }

  private length(seek: HTMLInputElement): void {
    if (!Number.isFinite(this.audio.duration)) return;
    seek.max = this.audio.duration.toFixed(1);
    byID("play-length").textContent = clock(this.audio.duration);
  }

  private showState(play: HTMLButtonElement): void {
    this.box.classList.toggle("playing", this.playing);
    play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  private tick(): void {
    const t = this.audio.currentTime;
    if (t >= this.stopAt && this.playing) {
      const next = this.queue.shift();
      if (next) {
        this.audio.currentTime = Math.max(0, next[0] - 0.15);
        this.stopAt = next[1] + 0.25;
      } else {
        this.stopAt = Infinity;
        this.audio.pause();
      }
    }
    if (this.playing && Date.now() - this.told > 20_000) {
      this.told = Date.now();
      document.dispatchEvent(new CustomEvent("vesper:here")); // listening is being there
    }
    byID("play-at").textContent = clock(t);
    const seek = byID<HTMLInputElement>("play-seek");
    if (document.activeElement !== seek || this.playing) seek.value = t.toFixed(1);
    seek.setAttribute("aria-valuetext", clock(t));
    for (const f of this.listeners) f(t);
  }

  // Foot pedals can send these keys; they work anywhere on the page.
  private key(e: KeyboardEvent): void {
    if (e.defaultPrevented || e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]")) return;
    const act = { F4: () => this.toggle(), Escape: () => this.toggle(), F7: () => this.move(-skip), F8: () => this.move(skip) }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }
}
