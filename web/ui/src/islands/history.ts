import { post, words } from "../api.ts";
import { busy, byID, maybe, showError } from "../dom.ts";
import { Player } from "../player.ts";
import { bindSentences } from "../sentences.ts";

bindSentences(Player.open(), (el) => {
  byID("origin").textContent = el.title;
});

const form = maybe<HTMLFormElement>("addendum-form");
form?.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("addendum-error", "");
  void busy(form.querySelector("button")!, async () => {
    try {
      const made = await post<{ id: string }>(`/api/v1/dictations/${byID("history").dataset["id"]}/addendum`, { text: byID<HTMLTextAreaElement>("addendum-text").value });
      location.assign("/sign/" + made.id);
    } catch (err) {
      showError("addendum-error", words(err));
    }
  });
});
