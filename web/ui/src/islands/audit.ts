import { get, words } from "../api.ts";
import { busy, byID, make } from "../dom.ts";
import type { AuditReport } from "../types.ts";

const result = byID("verify-result");
const verify = byID<HTMLButtonElement>("verify-log");

function show(r: AuditReport): void {
  const count = `${r.events.toLocaleString()} events against ${r.checkpoints.toLocaleString()} signed checkpoints`;
  if (r.ok) {
    result.replaceChildren(make("div", { class: "notice good" },
      make("b", {}, "The log is whole."), ` Checked ${count}. Nothing was changed, taken out or put in.`,
      make("div", { class: "small muted" }, "Root ", make("span", { class: "mono" }, r.root))));
    return;
  }
  result.replaceChildren(make("div", { class: "notice bad" }, make("b", {}, "The log is not whole."), ` Checked ${count}. Keep this page and call whoever answers for security.`,
    make("ul", {}, ...r.findings.slice(0, 50).map((f) => make("li", {}, f.seq >= 0 ? `At place ${f.seq}: ${f.what}` : f.what)))));
}

verify.addEventListener("click", () => void busy(verify, async () => {
  result.replaceChildren(make("p", { class: "muted" }, "Recomputing the whole log…"));
  try {
    show(await get<AuditReport>("/api/v1/audit/verify"));
  } catch (err) {
    result.replaceChildren(make("div", { class: "notice bad" }, words(err)));
  }
}));
