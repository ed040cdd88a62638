// The whole way in a browser against the real binary: the physician records at phone width, the editor corrects at desktop
// width, the physician signs, compliance hears a sentence.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { startStack, microphone, openChromium, signIn, shot, phone, desktop } from "./stack.mjs";

let stack, browser;
before(async () => {
  stack = await startStack();
  browser = await openChromium(microphone(stack.dir));
}, { timeout: 180_000 });
after(async () => {
  await browser?.close();
  const code = await stack?.stop();
  assert.equal(code, 0, "vesper up must stop cleanly");
});

let dictation;

async function state(page, id) {
  return (await (await page.request.get(`${stack.url}/api/v1/dictations/${id}/status`)).json()).state;
}

// until polls the server, because the browser's own polling is part of what is tested.
async function until(page, id, wanted, ms = 180_000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((r) => setTimeout(r, 250))) {
    const s = await state(page, id);
    if (wanted.includes(s)) return s;
    assert.ok(!["failed", "rejected"].includes(s), "the dictation ended as " + s);
  }
  assert.fail(`the dictation did not become ${wanted} in time`);
}

test("a physician records on the phone and sees it received", { timeout: 240_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.physician, phone);
  await page.goto(stack.url + "/dictate");
  const visit = page.locator('[data-testid="visit-select"]');
  await visit.selectOption({ index: 2 });
  await shot(page, "dictate-phone");
  const sent = [];
  page.on("request", (r) => {
    if (r.url().includes("/api/v1/uploads")) sent.push(r.method());
  });
  await page.click('[data-testid="record-button"]');
  await page.waitForTimeout(16_000); // real time: the microphone plays the dictation
  await shot(page, "recording-phone");
  for (const end = Date.now() + 30_000; Date.now() < end && !sent.includes("PATCH");) await page.waitForTimeout(250);
  assert.deepEqual(sent.slice(0, 2), ["POST", "PATCH"], "the recording is sent while it is being made");
  await page.click('[data-testid="stop-button"]');
  await page.locator("#outbox li", { hasText: /received/i }).first().waitFor({ timeout: 60_000 });
  await shot(page, "received-phone");
  const list = await (await page.request.get(stack.url + "/api/v1/dictations?author=me")).json();
  const mine = list.items.find((d) => d.patient?.mrn === "DEMO-0002");
  assert.ok(mine, "the recording is among the physician's dictations");
  dictation = mine.id;
  await page.goto(`${stack.url}/dictations/${dictation}`);
  await until(page, dictation, ["drafted"]);
  await shot(page, "status-phone");
  assert.deepEqual(page.complaints, []);
});

test("the editor claims it, hears it, corrects it and sends it", { timeout: 120_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.editor, desktop);
  await page.goto(stack.url + "/queue");
  await page.locator(`[data-testid="queue-list"] a[data-id="${dictation}"]`).waitFor();
  await shot(page, "queue-desktop");
  await page.click(`[data-testid="queue-list"] a[data-id="${dictation}"]`);
  const editor = page.locator('[data-testid="editor"]').locator('xpath=descendant-or-self::*[@contenteditable="true"]').first();
  await editor.waitFor({ timeout: 30_000 });
  assert.match(await editor.innerText(), /hypertension/i);
  await page.locator("audio").first().waitFor({ state: "attached" });
  await page.keyboard.press("F4");
  await page.waitForFunction(() => [...document.querySelectorAll("audio")].some((a) => a.currentTime > 0.3), null, { timeout: 20_000 });
  await page.keyboard.press("F4");
  await shot(page, "edit-desktop");
  await editor.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" Recheck blood pressure at home.");
  await page.waitForFunction(() => /saved/i.test(document.querySelector("#save-state")?.textContent ?? ""), null, { timeout: 20_000 });
  const detail = await (await page.request.get(`${stack.url}/api/v1/dictations/${dictation}`)).json();
  assert.ok(detail.version.number >= 2, "the correction is a version of its own");
  const sources = detail.version.document.sections.flatMap((s) => s.runs).map((r) => r.source.kind);
  assert.ok(sources.includes("person") && sources.includes("speech"), "typed words belong to the editor, spoken ones to the audio");
  for (;;) { // every doubt is settled by hand, as an editor would
    const left = page.locator("#doubts button.settle:visible");
    if ((await left.count()) === 0) break;
    const n = await left.count();
    await left.first().click();
    await page.waitForFunction((n) => document.querySelectorAll("#doubts button.settle").length < n, n, { timeout: 15_000 });
  }
  await page.click('[data-testid="send-button"]');
  const confirm = page.locator("dialog[open] button.primary");
  if (await confirm.isVisible().catch(() => false)) await confirm.click();
  await until(page, dictation, ["awaiting_signature"], 20_000);
  assert.deepEqual(page.complaints, []);
});

test("the physician reads what changed and signs; the EHR has it", { timeout: 120_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.physician, phone);
  await page.goto(stack.url + "/sign");
  await page.locator(`a[href="/sign/${dictation}"]`).first().click();
  await page.locator('[data-testid="sign-password"]').waitFor();
  assert.match(await page.locator("main").innerText(), /Recheck blood pressure at home/);
  await shot(page, "sign-phone");
  await page.fill('[data-testid="sign-password"]', "not the password");
  await page.click('[data-testid="sign-button"]');
  await page.locator("#sign-error").waitFor({ state: "visible" });
  assert.equal(await state(page, dictation), "awaiting_signature", "a wrong password signs nothing");
  await page.fill('[data-testid="sign-password"]', stack.logins.physician.password);
  await page.click('[data-testid="sign-button"]');
  await until(page, dictation, ["delivered"], 30_000);
  assert.deepEqual(page.complaints, []);
});

test("compliance opens the history and hears a sentence", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.compliance, desktop);
  await page.goto(`${stack.url}/history/${dictation}`);
  const timeline = await page.locator('[data-testid="history-timeline"]').innerText();
  for (const words of [/sent the recording in/i, /drafted/i, /signed/i, /delivered/i]) assert.match(timeline, words);
  await page.locator('[data-testid="sentence"]').first().click();
  await page.waitForFunction(() => [...document.querySelectorAll("audio")].some((a) => a.currentTime > 0.2 || !a.paused), null, { timeout: 20_000 });
  await shot(page, "history-desktop");
  await page.goto(stack.url + "/audit");
  await page.click('[data-testid="verify-log"]');
  await page.getByText(/whole/i).first().waitFor({ timeout: 20_000 });
  assert.deepEqual(page.complaints, []);
});

test("what a role may not see is refused, and a stranger is sent to the login", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.admin, desktop);
  const refused = await page.goto(`${stack.url}/history/${dictation}`);
  assert.equal(refused.status(), 403);
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`${stack.url}/history/${dictation}`);
  assert.equal(new URL(stranger.url()).pathname, "/login");
});

test("an administrator looks at the work queue, under the same policy as everything else", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.admin, desktop);
  await page.goto(stack.url + "/operations");
  await page.getByRole("link", { name: "work queue" }).click();
  await page.getByRole("cell", { name: "routine" }).first().waitFor({ timeout: 20_000 }); // its script runs, and has asked Redis
  const colour = await page.evaluate(() => getComputedStyle(document.querySelector("header")).display);
  assert.equal(colour, "flex", "its styles are refused");
  await page.getByText("Servers").first().click();
  await page.getByText(/active workers|host/i).first().waitFor({ timeout: 20_000 });
  assert.deepEqual(page.complaints, []);
});

// What of a recording has arrived when its tab dies is not sent again, and it does not become two dictations.
test("a tab that is killed in the middle of an upload loses nothing", { timeout: 120_000 }, async () => {
  const page = await signIn(browser, stack.url, stack.logins.physician, phone);
  const context = page.context();
  const uploads = /\/api\/v1\/uploads\/[^/]+$/;
  const mine = async (p) => (await (await p.request.get(stack.url + "/api/v1/dictations?author=me&limit=200")).json()).items.length;
  const before = await mine(page);
  const recording = wav(5 << 20); // two pieces
  let pieces = 0;
  let reached;
  const second = new Promise((r) => { reached = r; });
  await page.route(uploads, (route) => {
    if (route.request().method() !== "PATCH" || ++pieces === 1) return route.continue();
    reached(); // the second piece never leaves the device
  });
  await page.goto(stack.url + "/dictate");
  await page.locator("details", { has: page.locator("#file-input") }).evaluate((d) => { d.open = true; });
  await page.setInputFiles('[data-testid="file-input"]', { name: "long.wav", mimeType: "audio/wav", buffer: recording });
  await page.click('[data-testid="upload-button"]');
  await second;
  await page.locator("#outbox li", { hasText: /uploading \d+%/i }).first().waitFor();
  const cdp = await context.newCDPSession(page);
  await Promise.race([cdp.send("Page.crash").catch(() => {}), page.waitForEvent("crash")]);

  const next = await context.newPage();
  const offsets = [];
  let busy = true;
  await next.route(uploads, (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    if (busy) { // once the server asks for a pause
      busy = false;
      return route.fulfill({ status: 503, headers: { "Retry-After": "12", "Content-Type": "application/problem+json" }, body: '{"code":"busy","detail":"The server is busy."}' });
    }
    offsets.push([Number(route.request().headers()["upload-offset"]), Date.now()]);
    return route.continue();
  });
  await next.goto(stack.url + "/dictate");
  await next.locator("#outbox li", { hasText: "The server is busy. Tried again in about 12 seconds." }).first().waitFor({ timeout: 30_000 });
  const told = Date.now();
  await next.locator("#outbox li", { hasText: /received/i }).first().waitFor({ timeout: 60_000 });
  assert.deepEqual(offsets.map(([at]) => at), [4 << 20], "only what had not arrived is sent");
  assert.ok(offsets[0][1] - told > 10_000, "the pause that the server asked for is kept");
  assert.equal(await mine(next), before + 1, "one dictation");
  await context.close();
});

// wav is a recording of so many bytes of sound that no other call returns.
function wav(bytes) {
  const b = Buffer.alloc(44 + bytes);
  b.write("RIFF", 0); b.writeUInt32LE(36 + bytes, 4); b.write("WAVEfmt ", 8);
  b.writeUInt32LE(16, 16); b.writeUInt16LE(1, 20); b.writeUInt16LE(1, 22); b.writeUInt32LE(16_000, 24); b.writeUInt32LE(32_000, 28);
  b.writeUInt16LE(2, 32); b.writeUInt16LE(16, 34); b.write("data", 36); b.writeUInt32LE(bytes, 40);
  const seed = Date.now() % 1000;
  for (let i = 44; i < b.length; i += 2) b.writeInt16LE(Math.round(3000 * Math.sin((i + seed) / 41)), i);
  return b;
}
