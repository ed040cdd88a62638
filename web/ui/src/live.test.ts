import { test } from "node:test";
import assert from "node:assert/strict";
import { LiveUpload, type Link } from "./live.ts";
import type { Item } from "./outbox.ts";

const item = (over: Partial<Item> = {}): Item => ({
  key: "k", owner: "p", made: 0, phase: "recording", name: "a.webm", type: "audio/webm", label: "", seconds: 20, bytes: 0, chunks: 0,
  meta: { encounter: "e1", patient: "p1", work_type: "progress", priority: "routine" }, sent: 0, ...over,
});

// A server that keeps what it is sent, and fails when it is told to.
function world() {
  const uploads = new Map<string, string>();
  const calls: string[] = [];
  const w = { item: item(), bytes: "", heard: 0, fail: "" , uploads, calls };
  const link: Link = async (method, url, headers, body) => {
    calls.push(method);
    if (w.fail === method) throw new TypeError("network");
    const answer = (status: number, h: Record<string, string> = {}) => ({ status, header: (n: string) => h[n] ?? null });
    if (method === "POST") {
      const made = "/api/v1/uploads/" + (uploads.size + 1);
      uploads.set(made, "");
      assert.equal(headers["Upload-Defer-Length"], "1");
      return answer(201, { Location: made });
    }
    const has = uploads.get(url);
    if (has === undefined) return answer(404);
    if (method === "DELETE") { uploads.delete(url); return answer(204); }
    if (method === "HEAD") return answer(200, { "Upload-Offset": String(has.length) });
    if (Number(headers["Upload-Offset"]) !== has.length) return answer(409);
    uploads.set(url, has + await body!.text());
    return answer(204, { "Upload-Offset": String(uploads.get(url)!.length), "Vesper-Heard": "42" });
  };
  const live = new LiveUpload({
    item: () => w.item, bytes: async () => new Blob([w.bytes]),
    place: (url) => { const { url: _, ...rest } = w.item; w.item = url ? { ...rest, url } : rest; },
    heard: (s) => { w.heard = s; },
  }, link, 1e8);
  return { w, live };
}

test("a recording is sent piece by piece, and nothing twice", async () => {
  const { w, live } = world();
  w.item = item({ seconds: 3 });
  w.bytes = "abc";
  await live.step();
  assert.deepEqual(w.calls, [], "a short note is not sent early");
  w.item = item();
  await live.step();
  await live.step();
  w.bytes += "def";
  await live.step();
  await live.step();
  assert.equal(w.uploads.get(w.item.url!), "abcdef");
  assert.deepEqual(w.calls, ["POST", "PATCH", "PATCH"]);
  assert.equal(w.heard, 42);
  await live.stop();
});

test("after a broken connection it asks where the server stands", async () => {
  const { w, live } = world();
  w.bytes = "abc";
  await live.step();
  await live.step();
  w.fail = "PATCH";
  w.bytes += "def";
  await assert.rejects(live.step());
  w.fail = "";
  w.uploads.set(w.item.url!, "abcd"); // one byte had come through
  await live.step(); // 409, because nobody told the loop of the failure
  await live.step();
  assert.equal(w.uploads.get(w.item.url!), "abcdef");
  await live.stop();
});

test("another visit chosen meanwhile begins a new upload, and the old one is taken back", async () => {
  const { w, live } = world();
  w.bytes = "abc";
  await live.step();
  await live.step();
  const old = w.item.url!;
  w.item = { ...w.item, meta: { ...w.item.meta, encounter: "e2" } };
  await live.step();
  assert.equal(w.uploads.has(old), false);
  assert.equal(w.item.url, undefined);
  await live.step();
  await live.step();
  assert.equal(w.uploads.get(w.item.url!), "abc");
  await live.withdraw();
  assert.equal(w.uploads.size, 0);
});

test("an upload that the server has forgotten begins anew", async () => {
  const { w, live } = world();
  w.bytes = "abc";
  await live.step();
  await live.step();
  w.uploads.clear();
  w.bytes += "d";
  await live.step(); // 404
  await live.step(); // asks, and lets go
  await live.step(); // begins
  await live.step();
  assert.equal(w.uploads.get(w.item.url!), "abcd");
  await live.stop();
});

test("a network that hangs does not keep a recording from being stopped", { timeout: 5000 }, async () => {
  const asked: string[] = [];
  const hangs: Link = (method, _url, _headers, _body, cut) => {
    asked.push(method);
    return new Promise((_, reject) => cut!.addEventListener("abort", () => reject(new TypeError("cut"))));
  };
  let called = (): void => undefined;
  const begun = new Promise<void>((resolve) => { called = resolve; });
  const live = new LiveUpload({
    item: () => { called(); return item(); }, bytes: async () => new Blob(["abc"]), place: () => undefined, heard: () => undefined,
  }, hangs, 1, 1);
  await begun;
  await live.stop();
  assert.deepEqual(asked, ["POST"]);
});
