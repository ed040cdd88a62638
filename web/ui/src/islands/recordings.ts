// Settling findings and deciding how long recordings are kept.
import { post, words } from "../api.ts";
import { askReason, confirmed } from "../dialog.ts";
import { busy, byID, maybe, showError } from "../dom.ts";

for (const b of document.querySelectorAll<HTMLButtonElement>("button.settle")) {
  b.addEventListener("click", () => askReason(
    { title: "Settle this finding", help: "Say how it was dealt with. It stays in the list until a check finds it mended; leave out what belongs to the patient.", ok: "Settle" },
    async (note) => {
      await post(`/api/v1/findings/${b.dataset["id"]}/settle`, { note });
      location.reload();
    }));
}

const days = (id: string): number | undefined => {
  const text = byID<HTMLInputElement>(id).value.trim();
  return text === "" ? undefined : Number(text);
};

const form = maybe<HTMLFormElement>("set-retention");
form?.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("retention-error", "");
  const rule = {
    work_type: byID<HTMLSelectElement>("r-type").value, original_days: days("r-original"), playback_days: days("r-playback"),
    rejected_days: days("r-rejected"), reason: byID<HTMLTextAreaElement>("r-reason").value.trim(),
  };
  const purges = [rule.original_days, rule.playback_days, rule.rejected_days].some((n) => n !== undefined);
  void busy(form.querySelector("button")!, async () => {
    if (purges && !(await confirmed("Purge recordings under this rule?", "From seven days on, recordings whose time is over are deleted for good, also those that are older already. Notes and transcripts stay.", "Set the rule", true))) return;
    try {
      await post("/api/v1/retention", rule);
      location.reload();
    } catch (err) {
      showError("retention-error", words(err));
    }
  });
});
