// A moving picture of the voice while it is recorded.
export class Meter {
  private readonly bars: number[] = [];

  constructor(private readonly canvas: HTMLCanvasElement) {}

  push(level: number): void {
    this.bars.push(level);
    if (this.bars.length > 120) this.bars.shift();
    this.draw();
  }

  clear(): void {
    this.bars.length = 0;
    this.draw();
  }

  private draw(): void {
    const { canvas } = this;
    const c = canvas.getContext("2d");
    if (!c) return;
    const { width, height } = canvas;
    c.clearRect(0, 0, width, height);
    c.fillStyle = getComputedStyle(canvas).color;
    const step = width / 120;
    this.bars.forEach((level, i) => {
      const h = Math.max(2, level * height);
      c.fillRect(width - (this.bars.length - i) * step, (height - h) / 2, step * 0.6, h);
    });
  }
}
