import type { State } from "./types.ts";

const machines: readonly State[] = ["received", "queued", "transcribed", "signed"];

// pollAfter is the pause in milliseconds before the next look; 0 means that nothing will change by itself any more. While
// machines work one looks every second; while people work, or nothing changed for long, less often.
export function pollAfter(state: State, quiet: number): number {
  if (state === "delivered" || state === "rejected") return 0;
  const base = machines.includes(state) ? 1000 : 4000;
  return Math.min(30_000, base * Math.pow(1.25, Math.max(0, quiet - 20)));
}
