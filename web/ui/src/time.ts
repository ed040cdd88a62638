// Times of a recording and places in it.

// clock writes seconds as m:ss or h:mm:ss.
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (n: number) => String(n).padStart(2, "0");
  return s >= 3600
    ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export interface Timed { start: number; end: number }

// at finds the item that is being spoken at a time: the one that covers it, or within `linger` seconds after its end the
// last one before. The items are sorted by start. -1 where nobody speaks.
export function at(items: readonly Timed[], time: number, linger = 0.35): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (items[mid]!.start <= time) low = mid + 1;
    else high = mid;
  }
  const i = low - 1;
  const item = items[i];
  return item && time <= item.end + linger ? i : -1;
}

// resumeAt is where playing goes on after a pause: a little back, so that the context is heard again.
export const resumeAt = (position: number, backStep: number): number => Math.max(0, position - backStep);
