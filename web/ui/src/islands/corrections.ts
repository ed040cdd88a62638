// Deciding about suggested corrections, and undoing a decision. Nothing asks twice: undo is one press away.
import { post, postEmpty, words } from "../api.ts";
import { busy, showError } from "../dom.ts";

const author = document.querySelector<HTMLElement>("[data-testid=suggested]")?.dataset["author"];

function run(b: HTMLButtonElement, act: () => Promise<unknown>): void {
  void busy(b, async () => {
    try {
      await act();
      location.reload();
    } catch (err) {
      showError("corrections-error", words(err));
    }
  });
}

for (const b of document.querySelectorAll<HTMLButtonElement>("button.decide")) {
  const { heard, written, decision } = b.dataset;
  b.addEventListener("click", () => run(b, () => post(`/api/v1/people/${author}/corrections`, { heard, written, decision })));
}
for (const b of document.querySelectorAll<HTMLButtonElement>("button.undo")) {
  b.addEventListener("click", () => run(b, () => postEmpty(`/api/v1/corrections/${b.dataset["id"]}/undo`)));
}
