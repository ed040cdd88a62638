import { Problem, postEmpty, words } from "../api.ts";
import { busy, byID, showError } from "../dom.ts";
import { every, fetchPage, swap } from "../fragment.ts";

const next = byID<HTMLButtonElement>("take-next");

async function refresh(): Promise<void> {
  const page = await fetchPage(location.pathname);
  if (!page) return;
  swap("queue-list", page);
  const count = page.getElementById("queue-count")?.textContent ?? "";
  if (byID("queue-count").textContent !== count) byID("queue-count").textContent = count;
  if (!next.hasAttribute("aria-busy")) next.disabled = items().length === 0;
}

const items = (): string[] =>
  [...document.querySelectorAll<HTMLElement>("#queue-list [data-id]:not([data-taken])")].map((el) => el.dataset["id"]!);

// Somebody else may be faster: then the next one is tried, after a fresh look.
async function takeNext(): Promise<void> {
  showError("queue-error", "");
  for (let round = 0; round < 3; round++) {
    for (const id of items()) {
      try {
        await postEmpty(`/api/v1/dictations/${id}/claim`);
        location.assign("/edit/" + id);
        return;
      } catch (err) {
        if (err instanceof Problem && err.status === 409) continue;
        showError("queue-error", words(err));
        return;
      }
    }
    await refresh();
  }
  showError("queue-error", "Everything in the queue was taken by others just now. New drafts appear by themselves.");
}

next.addEventListener("click", () => void busy(next, takeNext));
document.addEventListener("keydown", (e) => {
  if (e.key.toLowerCase() === "n" && !e.ctrlKey && !e.metaKey && !e.altKey && !(e.target instanceof HTMLInputElement)) next.click();
});
every(10, refresh);
