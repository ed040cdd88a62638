import { post, words } from "../api.ts";
import { busy, byID, showError } from "../dom.ts";

const form = byID<HTMLFormElement>("login-form");

const told: Record<string, string> = {
  idle: "You were logged off because nothing was done for a while.",
  session_ended: "Your session has ended. Log in again; what you wrote is kept on this device.",
  login_wrong: "Login or password is not right.",
  rate_limited: "Too many attempts. Wait a minute, then try again.",
};
const code = new URLSearchParams(location.search).get("problem");
if (code) showError("login-error", told[code] ?? "Logging in did not work. Try again.");

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
