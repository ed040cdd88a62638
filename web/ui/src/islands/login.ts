import { post, words } from "../api.ts";
import { busy, byID, showError } from "../dom.ts";

const form = byID<HTMLFormElement>("login-form");

form.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("login-error", "");
  const password = byID<HTMLInputElement>("password");
  void busy(form.querySelector("button")!, async () => {
    try {
      await post("/api/v1/session", { login: byID<HTMLInputElement>("login").value, password: password.value });
      location.assign(form.dataset["next"] || "/");
    } catch (err) {
      showError("login-error", words(err));
      password.value = "";
      password.focus();
    }
  });
});
