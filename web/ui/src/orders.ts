// Stops automatic work and orders it anew, each with a reason that goes into the record.
import { post } from "./api.ts";
import { askReason, type Ask } from "./dialog.ts";
import { toast } from "./dom.ts";

type Act = "cancel" | "retry" | "reject" | "transcribe" | "draft" | "deliver";
interface Order extends Ask { path: string; body: Record<string, string>; done: string }

const keep = "The reason goes into the record; leave out what belongs to the patient.";
const rerun = (stage: string): Pick<Order, "path" | "body"> => ({ path: "rerun", body: { stage } });

const orders: Record<Act, Order> = {
  cancel: { title: "Stop the automatic work", help: `What waits is not begun, what runs is stopped. It can be ordered again. ${keep}`, ok: "Stop the work", danger: true, path: "cancel", body: {}, done: "Stopped. Nothing is lost." },
  retry: { title: "Order this step again", help: `Say why it should work now. ${keep}`, ok: "Order again", path: "retry", body: {}, done: "Ordered again. It moves on by itself." },
  reject: { title: "Give the recording back", help: "The author sees this reason and can dictate again.", ok: "Give back", danger: true, path: "reject", body: {}, done: "Given back to the author." },
  transcribe: { title: "Transcribe anew", help: `The recording is heard again, with settings of today, and drafted after that. Earlier versions stay in the history; an editor who has it open loses the hold. ${keep}`, ok: "Transcribe anew", ...rerun("transcribe"), done: "Ordered. The recording is heard again." },
  draft: { title: "Draft anew", help: `A new draft is made from the transcript. Earlier versions stay in the history; an editor who has it open loses the hold. ${keep}`, ok: "Draft anew", ...rerun("draft"), done: "Ordered. A new draft is made." },
  deliver: { title: "Deliver now", help: `The EHR is asked first whether it has the note already. ${keep}`, ok: "Deliver now", ...rerun("deliver"), done: "Ordered. The note is on its way." },
};

// listen makes the page's buttons work; moved is called after an order was given.
export function listen(moved: () => Promise<void>): void {
  document.addEventListener("click", (e) => {
    const b = e.target instanceof Element ? e.target.closest<HTMLButtonElement>("button.order") : null;
    const id = b?.dataset["id"];
    const order = orders[(b?.dataset["act"] ?? "") as Act];
    if (!id || !order) return;
    askReason(order, async (reason) => {
      await post(`/api/v1/dictations/${id}/${order.path}`, { ...order.body, reason });
      toast(order.done);
      setTimeout(() => void moved(), 300);
    });
  });
}
