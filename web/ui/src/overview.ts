// The whole recording at one look: speech, silence, what nobody heard, and where the doubts are.
import type { Span } from "./types.ts";

export interface Mark { start: number; end: number; critical: boolean }

export class Overview {
  private spans: readonly Span[] = [];
  private marks: readonly Mark[] = [];
  private seconds = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    canvas.classList.add("on");
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(spans: readonly Span[], marks: readonly Mark[], seconds: number): void {
    [this.spans, this.marks, this.seconds] = [spans, marks, seconds];
    this.draw();
  }

  private draw(): void {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (w === 0 || this.seconds <= 0) return;
    this.canvas.width = w * ratio;
    this.canvas.height = h * ratio;
    const c = this.canvas.getContext("2d");
    if (!c) return;
    c.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const x = (t: number) => (t / this.seconds) * w;
    const paint = (start: number, end: number, name: string, tall: number) => {
      c.fillStyle = colour(name);
      c.fillRect(x(start), (h - h * tall) / 2, Math.max(1.5, x(end) - x(start)), h * tall);
    };
    for (const s of this.spans) {
      if (s.kind === "silence") paint(s.start, s.end, "--line", 0.15);
      else paint(s.start, s.end, s.kind === "words" ? "--accent-line" : s.kind === "unheard" ? "--bad" : "--warn", 0.5);
    }
    for (const m of this.marks) paint(m.start, Math.max(m.end, m.start + 0.2), m.critical ? "--bad" : "--warn", 1);
  }
}
