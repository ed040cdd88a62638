// Follows a dictation on its way: cheap polls while it moves, the page's own rendering when its state changes.
import { get } from "../api.ts";
import { byID, maybe } from "../dom.ts";
import { fetchPage, swap } from "../fragment.ts";
import { listen } from "../orders.ts";
import { pollAfter } from "../poll.ts";
import type { Status } from "../types.ts";

const box = byID("status");
let quiet = 0; // polls without any change
let next: ReturnType<typeof setTimeout> | undefined;

function showProgress(s: Status): boolean {
  const bar = maybe<HTMLProgressElement>("progress");
  if (!bar) return false;
  const before = bar.value;
  byID("progress-box").hidden = !(s.state === "queued" && s.total > 0);
  bar.max = Math.max(1, s.total);
  bar.value = s.done;
  byID("progress-done").textContent = String(s.done);
  byID("progress-total").textContent = String(s.total);
  return bar.value !== before;
}

function plan(wait: number): void {
  clearTimeout(next);
  next = setTimeout(() => void look(), wait);
}

async function look(): Promise<void> {
  let moved = false;
  try {
    const s = await get<Status>(`/api/v1/dictations/${box.dataset["id"]}/status`, { background: true });
    moved = showProgress(s);
    if (s.state !== box.dataset["state"] || (s.claimed_by?.name ?? "") !== box.dataset["claimed"]) {
      const page = await fetchPage(location.pathname);
      if (page) moved = swap("status", page) || moved;
    }
    quiet = moved ? 0 : quiet + 1;
    const wait = pollAfter(s.state, quiet);
    if (wait > 0) plan(wait);
  } catch {
    quiet++;
    plan(pollAfter("signed", quiet + 5));
  }
}
void look();
listen(async () => {
  const page = await fetchPage(location.pathname);
  if (page) swap("status", page);
  quiet = 0;
  plan(0); // it may have come to an end before, where nobody looks any more
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") quiet = 0;
});
