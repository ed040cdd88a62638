// Setting legal holds from a dictation's history, and lifting them from their list.
import { post } from "../api.ts";
import { askReason } from "../dialog.ts";
import { toast } from "../dom.ts";

const leaveOut = "The reason stays with the hold, where only compliance reads it.";

for (const b of document.querySelectorAll<HTMLButtonElement>("button.hold")) {
  const { scope, subject, what } = b.dataset;
  b.addEventListener("click", () => askReason({ title: `Hold ${what}`, help: `Nothing of it is purged until the hold is lifted. ${leaveOut}`, ok: "Set the hold" }, async (reason) => {
    const h = await post<{ going: number }>("/api/v1/holds", { scope, subject, reason });
    toast(h.going > 0 ? `Held from now on. ${h.going} recordings were being deleted already.` : "Held from now on.");
  }));
}
for (const b of document.querySelectorAll<HTMLButtonElement>("button.lift")) {
  b.addEventListener("click", () => askReason({ title: "Lift this hold", help: `What it kept is under the practice’s rules again. ${leaveOut}`, ok: "Lift", danger: true }, async (reason) => {
    await post(`/api/v1/holds/${b.dataset["id"]}/lift`, { reason });
    location.reload();
  }));
}
