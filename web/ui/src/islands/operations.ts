import { every, fetchPage, swap } from "../fragment.ts";
import { listen } from "../orders.ts";

async function refresh(): Promise<void> {
  if (document.querySelector("dialog[open]")) return;
  const page = await fetchPage(location.pathname);
  if (!page) return;
  swap("live-list", page);
  swap("engine-queue", page);
}

listen(refresh);
every(10, refresh);
