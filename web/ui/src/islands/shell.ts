// What every page has: logging out, the idle clock, times in this computer's zone.
import { get, request } from "../api.ts";
import { byID, localTimes, make, maybe, toast } from "../dom.ts";
import { every } from "../fragment.ts";

localTimes();

const leave = (why: string) => location.assign("/login?" + new URLSearchParams({ problem: why, next: location.pathname }).toString());

maybe("log-out")?.addEventListener("click", () => {
  // The editor and the recorder may have something to keep first; they answer by preventing the event.
  if (!document.dispatchEvent(new CustomEvent("vesper:leaving", { cancelable: true }))) return;
  request("DELETE", "/api/v1/session").then(() => location.assign("/login"), () => toast("Logging out did not work. Check the network and try again."));
});

document.addEventListener("vesper:signed-out", () => leave("session_ended"), { once: true });

const idle = Number(document.body.dataset["idle"] ?? "0") * 1000;
const warning = 60_000;
let last = Date.now();
let told = Date.now(); // when the server last heard that somebody is here

function here(): void {
  last = Date.now();
  maybe<HTMLDialogElement>("idle-dialog")?.close();
  if (idle > 0 && last - told > Math.min(idle / 4, 120_000)) {
    told = last;
    request("GET", "/api/v1/session").catch(() => undefined);
  }
}

for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) document.addEventListener(name, here, { passive: true });
document.addEventListener("vesper:here", here); // recording counts as being there

function warn(): void {
  if (maybe<HTMLDialogElement>("idle-dialog")?.open) return;
  maybe("idle-dialog")?.remove();
  const stay = make("button", { class: "btn primary", type: "button" }, "Stay logged in");
  const d = make("dialog", { id: "idle-dialog", "aria-labelledby": "idle-title" },
    make("h2", { id: "idle-title" }, "Are you still there?"),
    make("p", {}, "You will be logged off in a minute, so that nobody else can read on."),
    make("div", { class: "row end" }, stay));
  document.body.append(d);
  stay.addEventListener("click", () => {
    told = 0;
    here();
  });
  byID<HTMLDialogElement>("idle-dialog").showModal();
}

if (idle > 2 * warning) {
  setInterval(() => {
    const away = Date.now() - last;
    if (away > idle) request("DELETE", "/api/v1/session").finally(() => leave("idle"));
    else if (away > idle - warning) warn();
  }, 5000);
}

// The bell: how much is unread, asked for once a minute while the page is seen. The count of the page itself came with it.
const count = maybe("bell-count");
if (count) {
  every(60, async () => {
    try {
      const { unread } = await get<{ unread: number }>("/api/v1/notifications/unread", { background: true });
      count.textContent = String(unread);
      count.hidden = unread === 0;
    } catch {
      // the next round asks again
    }
  });
}
