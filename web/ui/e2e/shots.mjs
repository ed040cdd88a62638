// Photographs every page at both widths: node e2e/shots.mjs BASE LOGINS.json OUT_DIR [name…]
// LOGINS.json: {"physician": {"login": "…", "password": "…"}, "editor": …, "supervisor": …, "compliance": …, "admin": …}
import { mkdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [base, loginsFile, out, ...only] = process.argv.slice(2);
if (!base || !loginsFile || !out) {
  console.error("usage: node e2e/shots.mjs BASE LOGINS.json OUT_DIR [name…]");
  process.exit(2);
}
const logins = JSON.parse(readFileSync(loginsFile, "utf8"));
mkdirSync(out, { recursive: true });

export const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const json = async (page, path) => (await page.request.get(base + path)).json();
// easiest is the note with the fewest open points: what a physician sees on a good day.
const easiest = async (page) => {
  const { items } = await json(page, "/api/v1/dictations?limit=50&state=awaiting_signature");
  return items.sort((a, b) => a.obstacles - b.obstacles)[0]?.id;
};
const first = async (page, query) => (await json(page, "/api/v1/dictations?limit=1&" + query)).items[0]?.id;

// Each page: who looks, and where; null when there is nothing of the kind at the moment.
const pages = [
  ["login", null, () => "/login"],
  ["dictate", "physician", () => "/dictate"],
  ["my-dictations", "physician", () => "/dictations"],
  ["to-sign", "physician", () => "/sign"],
  ["sign", "physician", async (p) => to("/sign/", await easiest(p))],
  ["queue", "editor", () => "/queue"],
  ["edit", "editor", async (p) => to("/edit/", await first(p, "queue=editor"))],
  ["status", "supervisor", async (p) => to("/dictations/", await first(p, "state=queued,drafted,in_review,awaiting_signature,delivered"))],
  ["dictations", "supervisor", () => "/dictations"],
  ["operations", "supervisor", () => "/operations"],
  ["history", "compliance", async (p) => to("/history/", (await first(p, "state=delivered")) ?? (await first(p, "state=drafted,in_review,awaiting_signature")))],
  ["audit", "compliance", () => "/audit"],
  ["words", "physician", () => "/words"],
  ["practice-words", "supervisor", () => "/words"],
  ["corrections", "supervisor", () => "/corrections"],
  ["recordings", "admin", () => "/recordings"],
  ["holds", "compliance", () => "/holds"],
  ["notifications", "supervisor", () => "/notifications"],
  ["turnaround", "supervisor", () => "/turnaround"],
  ["calendar", "supervisor", () => "/turnaround/calendar"],
  ["rules", "supervisor", () => "/turnaround/rules"],
  ["people", "admin", () => "/people"],
  ["queues", "admin", () => "/operations/queues/", ["desktop"]], // not ours; it is made for desks
];
const to = (prefix, id) => (id ? prefix + id : null);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
const problems = [];
const contexts = new Map();

async function session(role, size) {
  const name = role + size;
  if (!contexts.has(name)) {
    const c = await browser.newContext({ viewport: sizes[size], deviceScaleFactor: 1, hasTouch: size === "phone" });
    const page = await c.newPage();
    page.on("console", (m) => { if (m.type() === "error" || /Content Security Policy/.test(m.text())) problems.push(`${page.url()}: ${m.text()}`); });
    page.on("pageerror", (e) => problems.push(`${page.url()}: ${e}`));
    if (role) {
      const res = await page.request.post(base + "/api/v1/session", { data: logins[role] });
      if (!res.ok()) throw new Error(`log in ${role}: ${res.status()} ${await res.text()}`);
    }
    contexts.set(name, page);
  }
  return contexts.get(name);
}

for (const [name, role, where, widths] of pages) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const size of widths ?? Object.keys(sizes)) {
    const page = await session(role, size);
    const path = await where(page);
    if (!path) {
      console.log(`${name}: nothing to show`);
      continue;
    }
    await page.goto(base + path, { waitUntil: "load" });
    await page.waitForTimeout(name === "edit" ? 1800 : 700);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
    if (wide) problems.push(`${path} (${size}): wider than the screen`);
    await page.screenshot({ path: `${out}/${name}-${size}.png` });
    console.log(`${name}-${size}.png`);
  }
}
await browser.close();
for (const p of new Set(problems)) console.error("problem:", p);
process.exitCode = problems.length > 0 ? 1 : 0;
