import { Problem, post, words } from "../api.ts";
import { askReason } from "../dialog.ts";
import { busy, byID, maybe, showError, toast } from "../dom.ts";
import { Player } from "../player.ts";
import { bindSentences } from "../sentences.ts";

const box = byID("sign");
const id = box.dataset["id"]!;
const player = Player.open();
bindSentences(player);

const form = maybe<HTMLFormElement>("sign-form");
form?.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("sign-error", "");
  const password = byID<HTMLInputElement>("sign-password");
  void busy(byID<HTMLButtonElement>("sign-button"), async () => {
    try {
      await post(`/api/v1/dictations/${id}/signature`, {
        version: Number(box.dataset["version"]), content_hash: box.dataset["hash"], password: password.value,
      });
      location.assign(`/dictations/${id}`);
    } catch (err) {
      password.value = "";
      const stale = err instanceof Problem && (err.code === "content_changed" || err.code === "version_conflict");
      showError("sign-error", words(err) + (stale ? " Reload this page to read it." : ""));
      password.focus();
    }
  });
});

maybe("return-button")?.addEventListener("click", () => askReason(
  { title: "Return the note to the editors", help: "Say what is to be changed. The editor sees it above the note.", ok: "Return" },
  async (reason) => {
    await post(`/api/v1/dictations/${id}/return`, { reason });
    location.assign("/sign");
  }));

for (const b of document.querySelectorAll<HTMLButtonElement>("button.settle")) {
  b.addEventListener("click", () => void busy(b, async () => {
    try {
      await post(`/api/v1/dictations/${id}/flags/${encodeURIComponent(b.dataset["flag"]!)}/settle`, { base: Number(box.dataset["version"]), how: "confirmed" });
      location.reload();
    } catch (err) {
      toast(words(err));
    }
  }));
}
