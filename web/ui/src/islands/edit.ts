import { get, Problem, words } from "../api.ts";
import { byID, make, showError } from "../dom.ts";
import { Desk } from "../editor/desk.ts";
import { claim } from "../editor/claim.ts";
import type { Detail } from "../types.ts";

const box = byID("edit");
const id = box.dataset["id"]!;

async function open(): Promise<void> {
  if (box.dataset["mode"] === "editor") await claim(id);
  const detail = await get<Detail>(`/api/v1/dictations/${id}`);
  if (!detail.version) throw new Problem(409, "no_note", "There is no draft yet. It appears in the queue when it is ready.");
  await Desk.open(detail, box.dataset["mode"] === "author");
}

open().catch((err: unknown) => {
  byID("editor-loading").textContent = "";
  byID("save-state").textContent = "";
  byID("player").hidden = true;
  showError("edit-error", words(err));
  byID("edit-error").append(" ", make("a", { href: box.dataset["home"] ?? "/" }, "Back"));
  if (!(err instanceof Problem)) console.error(err);
});
