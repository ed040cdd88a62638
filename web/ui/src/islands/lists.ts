// Lists that keep themselves fresh.
import { every, fetchPage, swap } from "../fragment.ts";

every(20, async () => {
  const page = await fetchPage(location.pathname + location.search);
  if (page) swap("live-list", page);
});
