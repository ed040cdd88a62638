import { post, postEmpty, words } from "../api.ts";
import { confirmed } from "../dialog.ts";
import { busy, byID, showError } from "../dom.ts";

const form = byID<HTMLFormElement>("add-person");
const value = (id: string) => byID<HTMLInputElement>(id).value.trim();

form.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("add-error", "");
  void busy(form.querySelector("button")!, async () => {
    try {
      await post("/api/v1/people", {
        name: value("p-name"), role: value("p-role"), credential: value("p-credential"), login: value("p-login"),
        password: byID<HTMLInputElement>("p-password").value,
      });
      location.reload();
    } catch (err) {
      showError("add-error", words(err));
    }
  });
});

for (const b of document.querySelectorAll<HTMLButtonElement>("button.switch")) {
  b.addEventListener("click", () => {
    void busy(b, async () => {
      const to = b.dataset["to"];
      if (to === "disable" && !(await confirmed(`Disable ${b.dataset["name"]}?`, "This person is logged out and cannot log in until enabled again.", "Disable", true))) return;
      try {
        await postEmpty(`/api/v1/people/${b.dataset["id"]}/${to}`);
        location.reload();
      } catch (err) {
        showError("people-error", words(err));
      }
    });
  });
}
