// Notifications: opening one reads it; all can be read at once. Settings say whether they come by e-mail too.
import { postEmpty, request, words } from "../api.ts";
import { busy, byID, maybe, showError, toast } from "../dom.ts";

for (const a of document.querySelectorAll<HTMLAnchorElement>("a.notification.unread")) {
  a.addEventListener("click", () => {
    // It outlives the page that is left; a failure only means that the bell still counts it.
    request("POST", `/api/v1/notifications/${a.dataset["id"]}/read`, { keepalive: true }).catch(() => undefined);
  });
}

const all = maybe<HTMLButtonElement>("read-all");
all?.addEventListener("click", () => {
  void busy(all, async () => {
    try {
      await postEmpty("/api/v1/notifications/read");
      location.reload();
    } catch (err) {
      showError("notices-error", words(err));
    }
  });
});

const form = byID<HTMLFormElement>("notice-settings");
form.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("settings-error", "");
  void busy(form.querySelector("button")!, async () => {
    try {
      await request("PUT", "/api/v1/notifications/settings", {
        body: { address: byID<HTMLInputElement>("n-address").value.trim(), by_mail: byID<HTMLInputElement>("n-mail").checked },
      });
      toast("Saved.");
    } catch (err) {
      showError("settings-error", words(err));
    }
  });
});
