import { post, postEmpty, words } from "../api.ts";
import { busy, byID, showError } from "../dom.ts";

const form = byID<HTMLFormElement>("add-word");
const value = (id: string) => byID<HTMLInputElement>(id).value.trim();

form.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("add-error", "");
  void busy(form.querySelector("button")!, async () => {
    try {
      const says = value("w-says");
      await post("/api/v1/terms", { text: value("w-text"), kind: value("w-kind"), says: says === "" ? [] : [says] });
      location.reload();
    } catch (err) {
      showError("add-error", words(err));
    }
  });
});

// Removing asks nothing: adding the word again undoes it.
for (const b of document.querySelectorAll<HTMLButtonElement>("button.remove")) {
  b.addEventListener("click", () => {
    void busy(b, async () => {
      try {
        await postEmpty(`/api/v1/terms/${b.dataset["id"]}/remove`);
        location.reload();
      } catch (err) {
        showError("words-error", words(err));
      }
    });
  });
}

// Texts that are inserted by name; only physicians have the form.
const block = document.getElementById("add-block") as HTMLFormElement | null;

block?.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("block-error", "");
  void busy(block.querySelector("button")!, async () => {
    try {
      const also = value("b-also");
      await post("/api/v1/blocks", { name: value("b-name"), also: also === "" ? [] : [also], text: byID<HTMLTextAreaElement>("b-text").value });
      location.reload();
    } catch (err) {
      showError("block-error", words(err));
    }
  });
});

for (const b of document.querySelectorAll<HTMLButtonElement>("button.remove-block")) {
  b.addEventListener("click", () => {
    void busy(b, async () => {
      try {
        await postEmpty(`/api/v1/blocks/${b.dataset["id"]}/remove`);
        location.reload();
      } catch (err) {
        showError("blocks-error", words(err));
      }
    });
  });
}
