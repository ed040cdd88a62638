import { test } from "node:test";
import assert from "node:assert/strict";
import { inOrder, later, mayDropCopy, Pacing, pause, percent, permanent, say, step, worthRepeating, type Event, type Item, type Phase } from "./outbox.ts";
import { retryAfter } from "./retry.ts";

const item = (over: Partial<Item> = {}): Item => ({
  key: "k", owner: "p", made: 0, phase: "recording", name: "a.webm", type: "audio/webm", label: "", seconds: 0, bytes: 0, chunks: 0,
  meta: { encounter: "", patient: "", work_type: "progress", priority: "routine" }, sent: 0, ...over,
});

test("a recording goes from the device to the receipt", () => {
  let i = item();
  i = step(i, { kind: "stopped", seconds: 12, bytes: 1000, chunks: 12 });
  assert.equal(say(i, true), "On this device, about to be sent");
  i = step(i, { kind: "started", url: "/api/v1/uploads/1" });
  i = step(i, { kind: "progress", sent: 400 });
  assert.equal(say(i, true), "Uploading 40%");
  i = step(i, { kind: "progress", sent: 1000 });
  assert.equal(say(i, true), "Uploaded, waiting for the receipt");
  assert.equal(percent(i), 99, "100% is said only with the receipt");
  assert.equal(mayDropCopy(i), false);
  i = step(i, { kind: "received", dictation: "d" });
  assert.equal(say(i, true), "Received");
  assert.equal(mayDropCopy(i), true);
});

test("what is heard while it arrives is told, as long as it arrives there", () => {
  let i = item({ phase: "uploading", bytes: 1000, sent: 400, url: "/u/1" });
  i = step(i, { kind: "heard", seconds: 65 });
  assert.equal(say(i, true), "Uploading 40%, 1:05 min heard so far");
  i = step(i, { kind: "heard", seconds: 0 });
  assert.equal(i.heard, 65, "an answer that says nothing takes nothing back");
  i = step(i, { kind: "started", url: "/u/1" });
  assert.equal(i.heard, 65);
  assert.equal(step(i, { kind: "started", url: "/u/2" }).heard, undefined);
  assert.equal(step(i, { kind: "refused", problem: "x" }).heard, undefined);
  i = step(step(i, { kind: "progress", sent: 1000 }), { kind: "received", dictation: "d" });
  assert.equal(say(step(i, { kind: "heard", seconds: 99 }), true), "Received");
});

test("an interrupted upload keeps its place on the server and its copy here", () => {
  let i = item({ phase: "uploading", bytes: 1000, sent: 400, url: "/u/1" });
  i = step(i, { kind: "interrupted", problem: "The server cannot be reached." });
  assert.equal(i.phase, "waiting");
  assert.equal(i.url, "/u/1");
  assert.equal(mayDropCopy(i), false);
  assert.match(say(i, true), /On this device\. The server cannot be reached/);
  assert.match(say(i, false), /as soon as the network is back/);
  assert.equal(step(i, { kind: "started" }).problem, undefined);
});

test("a refused recording stays on the device until a person decides, and begins anew", () => {
  let i = step(item({ phase: "uploading", bytes: 10, sent: 10, url: "/u/1" }), { kind: "refused", problem: "It is not sound." });
  assert.equal(i.url, undefined);
  assert.match(say(i, true), /Not taken: It is not sound\. It is still on this device/);
  i = step(i, { kind: "retry" });
  assert.deepEqual([i.phase, i.sent, i.problem], ["waiting", 0, undefined]);
});

test("nothing but a receipt ever allows the copy to be dropped", () => {
  const events: Event[] = [
    { kind: "stopped", seconds: 1, bytes: 1, chunks: 1 }, { kind: "started" }, { kind: "progress", sent: 1 }, { kind: "heard", seconds: 1 },
    { kind: "interrupted", problem: "x" }, { kind: "refused", problem: "x" }, { kind: "retry" },
  ];
  const phases: Phase[] = ["recording", "waiting", "uploading", "refused"];
  for (const phase of phases) for (const a of events) for (const b of events) {
    assert.equal(mayDropCopy(step(step(item({ phase, bytes: 5 }), a), b)), false, `${phase} ${a.kind} ${b.kind}`);
  }
});

test("late reports change nothing after the receipt", () => {
  const done = item({ phase: "received", dictation: "d", bytes: 5, sent: 5 });
  for (const e of [{ kind: "progress", sent: 1 }, { kind: "interrupted", problem: "x" }, { kind: "started" }] as Event[]) {
    assert.equal(step(done, e), done);
  }
});

test("only what will never succeed counts as permanent", () => {
  for (const s of [400, 403, 413, 415, 422]) assert.equal(permanent(s), true, String(s));
  for (const s of [0, 401, 404, 408, 409, 423, 429, 500, 503]) assert.equal(permanent(s), false, String(s));
});

test("pauses grow to a minute and no further", () => {
  assert.deepEqual([1, 2, 3, 6, 40].map(pause), [2000, 4000, 8000, 60_000, 60_000]);
});

test("a busy server is not asked again within the same try, a broken connection is", () => {
  for (const [status, seconds] of [[0, 0], [503, 5], [423, 0], [409, 0], [500, 0]]) assert.equal(worthRepeating(status!, seconds!), true, `${status} ${seconds}`);
  for (const [status, seconds] of [[429, 1], [503, 60], [401, 0], [403, 0], [422, 0]]) assert.equal(worthRepeating(status!, seconds!), false, `${status} ${seconds}`);
});

test("a long wait is said, a short one is not worth it", () => {
  assert.equal(later(5), "");
  assert.equal(later(30), " Tried again in about 30 seconds.");
  assert.equal(later(240), " Tried again in about 4 minutes.");
  const i = step(item({ phase: "uploading", bytes: 9 }), { kind: "interrupted", problem: "The server is busy." + later(60) });
  assert.equal(say(i, true), "On this device. The server is busy. Tried again in about 60 seconds.");
});

const stat = (over: Partial<Item> = {}): Item => item({ meta: { encounter: "", patient: "", work_type: "progress", priority: "stat" }, ...over });

test("STAT is sent first, then as the recordings were made", () => {
  const all = [item({ key: "a", made: 2 }), item({ key: "b", made: 1 }), stat({ key: "c", made: 4 }), stat({ key: "d", made: 3 })];
  assert.deepEqual(inOrder(all).map((i) => i.key), ["d", "c", "b", "a"]);
});

test("the server's word on when to come again is read as seconds or as a date", () => {
  const now = Date.parse("Sat, 28 Nov 2026 12:00:00 GMT");
  for (const [header, want] of [["30", 30], ["Sat, 28 Nov 2026 12:01:00 GMT", 60], ["Sat, 28 Nov 2026 11:00:00 GMT", 0], ["soon", 0], ["-5", 0], [null, 0]] as const) {
    assert.equal(retryAfter(header, now), want, String(header));
  }
});

test("what was put off is not tried again before the server said, and STAT is", () => {
  const p = new Pacing();
  assert.equal(p.failed(item(), 30, 1000, 0), 30_000);
  assert.equal(p.rest(item(), 2000), 29_000);
  assert.equal(p.rest(stat(), 2000), 0);
  assert.equal(p.rest(item(), 31_000), 0);
  assert.equal(p.failed(item(), 100_000, 0, 0), 600_000, "no server is waited for longer than ten minutes");
  assert.equal(new Pacing().failed(item(), 40, 0, 1), 50_000, "they do not all come back together");
});

test("without a word from the server the pauses grow, and end with a success", () => {
  const p = new Pacing();
  assert.deepEqual([1, 2, 3].map(() => p.failed(item(), 0, 0)), [2000, 4000, 8000]);
  assert.equal(p.rest(item(), 0), 0, "a person's kick is not held up");
  p.sent();
  assert.equal(p.failed(item(), 0, 0), 2000);
});
