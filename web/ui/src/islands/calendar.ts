// The practice's calendar and turn-around: one form, sent whole.
import { request, words } from "../api.ts";
import { holidays, hours, spans } from "../calendarform.ts";
import { busy, byID, make, showError, toast } from "../dom.ts";

const form = byID<HTMLFormElement>("calendar");
const zone = byID<HTMLInputElement>("c-zone");

const supported = (Intl as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf?.("timeZone") ?? [];
byID("c-zones").append(...supported.map((z) => make("option", { value: z })));
if (form.dataset["number"] === "0") zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;

const value = (id: string) => byID<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(id).value.trim();

function plan(): unknown {
  const week: Record<string, string[]> = {};
  for (const day of form.querySelectorAll<HTMLInputElement>("input[data-day]")) week[day.dataset["day"]!] = spans(day.value);
  const targets = [];
  for (const t of form.querySelectorAll<HTMLInputElement>("input[data-priority]")) {
    if (t.value.trim() === "") continue;
    const n = hours(t.value);
    if (Number.isNaN(n)) {
      t.focus();
      throw new Error(`${t.getAttribute("aria-label")}: write a number such as 4 or 1.5.`);
    }
    targets.push({ work_type: t.dataset["type"]!, priority: t.dataset["priority"]!, hours: n });
  }
  return { zone: zone.value.trim(), hours: week, holidays: holidays(value("c-holidays")), routine_clock: value("c-routine"), stat_clock: value("c-stat"), targets };
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  showError("calendar-error", "");
  let body: unknown;
  try {
    body = { number: Number(form.dataset["number"]), plan: plan() };
  } catch (err) {
    showError("calendar-error", (err as Error).message);
    return;
  }
  void busy(form.querySelector<HTMLButtonElement>("button[type=submit]")!, async () => {
    try {
      const { moved } = (await (await request("PUT", "/api/v1/turnaround/plan", { body })).json()) as { moved: number };
      form.dataset["number"] = String(Number(form.dataset["number"]) + 1);
      toast(moved === 0 ? "Saved." : moved === 1 ? "Saved. One dictation has another due time." : `Saved. ${moved} dictations have another due time.`);
    } catch (err) {
      showError("calendar-error", words(err));
    }
  });
});
