import { post } from "../api.ts";
import { askReason } from "../dialog.ts";
import { toast } from "../dom.ts";
import { every, fetchPage, swap } from "../fragment.ts";

async function refresh(): Promise<void> {
  if (document.querySelector("dialog[open]")) return;
  const page = await fetchPage(location.pathname);
  if (page) swap("live-list", page);
}

async function order(id: string, what: "retry" | "reject", reason: string): Promise<void> {
  await post(`/api/v1/dictations/${id}/${what}`, { reason });
  toast(what === "retry" ? "Ordered again. It moves on by itself." : "Given back to the author.");
  setTimeout(() => void refresh(), 300);
}

document.addEventListener("click", (e) => {
  const b = e.target instanceof Element ? e.target.closest<HTMLButtonElement>("button.retry, button.reject") : null;
  const id = b?.dataset["id"];
  if (!b || !id) return;
  if (b.classList.contains("retry")) {
    askReason({ title: "Order this step again", help: "Say why it should work now. The reason goes into the record; leave out what belongs to the patient.", ok: "Order again" },
      (reason) => order(id, "retry", reason));
  } else {
    askReason({ title: "Give the recording back", help: "The author sees this reason and can dictate again.", ok: "Give back", danger: true },
      (reason) => order(id, "reject", reason));
  }
});
every(10, refresh);
