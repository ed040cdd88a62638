import assert from "node:assert/strict";
import { test } from "node:test";
import { holidays, hours, spans } from "./calendarform.ts";

test("hours of a day are read as they are written", () => {
  assert.deepEqual(spans("08:00-12:00, 13:00-17:00"), ["08:00-12:00", "13:00-17:00"]);
  assert.deepEqual(spans("  "), []);
});

test("a holiday is a date, perhaps hours, perhaps a name", () => {
  assert.deepEqual(holidays("2026-11-26 Thanksgiving Day\n\n12-25\n2026-12-24 08:00-12:00, 13:00-14:00 Christmas Eve"), [
    { date: "2026-11-26", name: "Thanksgiving Day", hours: [] },
    { date: "12-25", name: "", hours: [] },
    { date: "2026-12-24", name: "Christmas Eve", hours: ["08:00-12:00", "13:00-14:00"] },
  ]);
});

test("numbers are read with a point or a comma", () => {
  assert.equal(hours("1,5"), 1.5);
  assert.equal(hours(" 24 "), 24);
  assert.ok(Number.isNaN(hours("soon")) && Number.isNaN(hours("-1")));
});
