import { busy, byID, showError } from "./dom.ts";
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
