import { test } from "node:test";
import assert from "node:assert/strict";
import { at, clock, resumeAt, size } from "./time.ts";
import { pollAfter } from "./poll.ts";

test("seconds are written as a clock", () => {
  assert.deepEqual([0, 9.9, 75, 3675, -3, NaN].map(clock), ["0:00", "0:09", "1:15", "1:01:15", "0:00", "0:00"]);
});

test("sizes are written in the unit that fits", () => {
  assert.deepEqual([999, 26_400, 4_200_000].map(size), ["999 B", "26 kB", "4.2 MB"]);
});

test("the word at a time is the one being spoken, or the last within a breath", () => {
  const words = [{ start: 0.5, end: 0.9 }, { start: 1.0, end: 1.4 }, { start: 4.0, end: 4.5 }];
  assert.equal(at(words, 0.2), -1);
  assert.equal(at(words, 0.5), 0);
  assert.equal(at(words, 1.2), 1);
  assert.equal(at(words, 1.7), 1);
  assert.equal(at(words, 2.5), -1, "silence");
  assert.equal(at(words, 4.1), 2);
  assert.equal(at(words, 60), -1);
  assert.equal(at([], 1), -1);
});

test("the search agrees with looking at every word", () => {
  const words = Array.from({ length: 200 }, (_, i) => ({ start: i * 0.7, end: i * 0.7 + (i % 5) * 0.1 }));
  for (let t = -1; t < 145; t += 0.05) {
    const slow = words.findLastIndex((w) => w.start <= t);
    const want = slow >= 0 && t <= words[slow]!.end + 0.35 ? slow : -1;
    assert.equal(at(words, t), want, String(t));
  }
});

test("playing goes on a little before where it stopped, never before the beginning", () => {
  assert.equal(resumeAt(10, 1.5), 8.5);
  assert.equal(resumeAt(1, 1.5), 0);
});

test("polling follows machines closely, people loosely, and ends at the end", () => {
  assert.equal(pollAfter("queued", 0), 1000);
  assert.equal(pollAfter("in_review", 0), 4000);
  assert.equal(pollAfter("delivered", 0), 0);
  assert.equal(pollAfter("rejected", 9), 0);
  assert.ok(pollAfter("queued", 30) > 5000);
  assert.equal(pollAfter("queued", 500), 30_000);
});
