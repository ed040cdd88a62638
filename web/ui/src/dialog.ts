import { busy, byID, make, showError } from "./dom.ts";
import { words } from "./api.ts";

export function closers(dialog: HTMLDialogElement): void {
  for (const b of dialog.querySelectorAll("[data-close]")) {
    if (b instanceof HTMLElement) b.onclick = () => dialog.close("cancel");
  }
}

export interface Ask {
  title: string;
  help: string;
  ok: string;
  danger?: boolean;
}

// askReason opens the reason dialog and carries out the act with what was written. The dialog stays open, with the
// problem in it, until the act succeeds or the person gives up.
export function askReason(ask: Ask, act: (reason: string) => Promise<void>): void {
  const dialog = byID<HTMLDialogElement>("reason-dialog");
  const text = byID<HTMLTextAreaElement>("reason-text");
  const ok = byID<HTMLButtonElement>("reason-ok");
  byID("reason-title").textContent = ask.title;
  byID("reason-help").textContent = ask.help;
  ok.textContent = ask.ok;
  ok.classList.toggle("danger", ask.danger ?? false);
  ok.classList.toggle("primary", !(ask.danger ?? false));
  text.value = "";
  showError("reason-error", "");
  closers(dialog);
  dialog.querySelector("form")!.onsubmit = (e) => {
    e.preventDefault();
    const reason = text.value.trim();
    if (!reason) {
      showError("reason-error", "Write a reason in a few words.");
      return;
    }
    void busy(ok, async () => {
      try {
        await act(reason);
        dialog.close("ok");
      } catch (err) {
        showError("reason-error", words(err));
      }
    });
  };
  dialog.showModal();
  text.focus();
}

// confirmed asks for a yes before something that cannot be undone.
export function confirmed(title: string, text: string, ok: string, danger = false): Promise<boolean> {
  const yes = make("button", { type: "submit", class: "btn " + (danger ? "danger" : "primary"), value: "yes" }, ok);
  const no = make("button", { type: "submit", class: "btn quiet", value: "no", formnovalidate: true }, "Cancel");
  const dialog = make("dialog", { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    make("form", { method: "dialog" }, make("h2", { id: "confirm-title" }, title), make("p", { id: "confirm-text" }, text), make("div", { class: "row end" }, no, yes)));
  document.body.append(dialog);
  dialog.showModal();
  (danger ? no : yes).focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  }, { once: true }));
}
