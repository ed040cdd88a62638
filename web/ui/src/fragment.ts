// Live lists: the page is asked for again in the background, and what changed is put in place of what is shown. The server
// renders it, so that there is one rendering only.
import { localTimes, maybe } from "./dom.ts";

export async function fetchPage(path: string): Promise<Document | null> {
  try {
    const res = await fetch(path, { headers: { "Vesper-Background": "1" }, credentials: "same-origin", cache: "no-store" });
    if (res.redirected && new URL(res.url).pathname === "/login") {
      document.dispatchEvent(new CustomEvent("vesper:signed-out"));
      return null;
    }
    return res.ok ? new DOMParser().parseFromString(await res.text(), "text/html") : null;
  } catch {
    return null; // away from the network: the list stays as it is and the next round tries again
  }
}

// swap replaces the children of an element, and gives the focus back to the item that had it.
export function swap(id: string, page: Document): boolean {
  const old = maybe(id);
  const fresh = page.getElementById(id);
  if (!old || !fresh) return false;
  localTimes(fresh);
  if (old.innerHTML === fresh.innerHTML) return false;
  const focused = document.activeElement?.closest<HTMLElement>("[data-id]")?.dataset["id"];
  const inside = old.contains(document.activeElement);
  old.replaceChildren(...[...fresh.childNodes].map((n) => document.importNode(n, true)));
  for (const name of ["data-state", "data-claimed"]) {
    const v = fresh.getAttribute(name);
    if (v !== null) old.setAttribute(name, v);
  }
  if (inside && focused) {
    const again = old.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`);
    again?.focus({ preventScroll: true });
  }
  return true;
}

// every repeats work while the page is visible. The pause begins when the work is done.
export function every(seconds: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let stopped = false;
  const round = async () => {
    if (document.visibilityState === "visible") await work();
    if (!stopped) timer = setTimeout(round, seconds * 1000);
  };
  timer = setTimeout(round, seconds * 1000);
  const wake = () => {
    if (document.visibilityState === "visible" && !stopped) {
      clearTimeout(timer);
      void round();
    }
  };
  document.addEventListener("visibilitychange", wake);
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
  };
}
