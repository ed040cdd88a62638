// What may happen to a recording on this device, as pure functions. The local copy goes only after the receipt.
//
//	recording ─▶ waiting ─▶ uploading ─▶ received (the copy is removed)
//	                ▲            ├─▶ waiting   network away, server busy, logged out: tried again
//	                └── retry ───┴─▶ refused   the server will never take it as it is: a person decides
import { clock } from "./time.ts";

export type Phase = "recording" | "waiting" | "uploading" | "received" | "refused";

export interface Meta { encounter: string; patient: string; work_type: string; priority: "stat" | "routine" }

export interface Item {
  key: string; // the client key: the same recording is never two dictations
  owner: string; // person who made it; others on this device do not see it
  made: number; // ms since 1970
  phase: Phase;
  name: string; // file name
  type: string; // media type
  label: string; // for the list: patient or "no visit chosen"
  seconds: number; // 0 for files
  bytes: number;
  chunks: number;
  meta: Meta;
  url?: string; // of the upload on the server, once it exists
  open?: boolean; // the upload was begun before its length was known
  sent: number; // bytes the server has
  heard?: number; // seconds of the upload that the engine has heard while it arrives
  problem?: string; // why the last try failed, for people
  dictation?: string;
}

export type Event =
  | { kind: "stopped"; seconds: number; bytes: number; chunks: number }
  | { kind: "started"; url?: string }
  | { kind: "progress"; sent: number }
  | { kind: "heard"; seconds: number }
  | { kind: "interrupted"; problem: string }
  | { kind: "refused"; problem: string }
  | { kind: "retry" }
  | { kind: "received"; dictation: string };

// step returns the item after an event. Events that do not fit the phase change nothing: a late progress report must not
// turn "received" back into "uploading".
export function step(item: Item, e: Event): Item {
  switch (e.kind) {
    case "stopped":
      return item.phase === "recording" ? { ...item, phase: "waiting", seconds: e.seconds, bytes: e.bytes, chunks: e.chunks } : item;
    case "started":
      return item.phase === "waiting" || item.phase === "uploading" ? without({ ...item, phase: "uploading", ...(e.url ? { url: e.url } : {}) }, "problem", ...anew(item, e.url)) : item;
    case "progress":
      return item.phase === "uploading" ? { ...item, sent: Math.min(e.sent, item.bytes) } : item;
    case "heard":
      return item.phase === "uploading" && e.seconds > (item.heard ?? 0) ? { ...item, heard: e.seconds } : item;
    case "interrupted":
      return item.phase === "uploading" || item.phase === "waiting" ? { ...item, phase: "waiting", problem: e.problem } : item;
    case "refused":
      return item.phase === "uploading" ? without({ ...item, phase: "refused", problem: e.problem, sent: 0 }, "url", "open", "heard") : item;
    case "retry":
      return item.phase === "refused" ? without({ ...item, phase: "waiting" }, "problem") : item;
    case "received":
      return item.phase === "uploading" || item.phase === "waiting" ? without({ ...item, phase: "received", dictation: e.dictation, sent: item.bytes }, "problem") : item;
  }
}

// anew names what is over when the upload begins at another place on the server.
const anew = (item: Item, url: string | undefined): "heard"[] => (url && url !== item.url ? ["heard"] : []);

// passing says whether an event is only news from the upload, which is not worth being written down.
export const passing = (e: Event): boolean => e.kind === "progress" || e.kind === "heard";

function without(item: Item, ...fields: ("problem" | "url" | "open" | "heard")[]): Item {
  const out = { ...item };
  for (const f of fields) delete out[f];
  return out;
}

// placed notes where the upload of a running recording stands; nowhere: it has to begin anew.
export const placed = (item: Item, url: string | undefined): Item =>
  url ? { ...item, url, open: true } : without(item, "url", "open");

// mayDropCopy says whether the recording's bytes may leave this device.
export const mayDropCopy = (item: Item): boolean => item.phase === "received" && !!item.dictation;

export const percent = (item: Item): number =>
  item.bytes > 0 ? Math.min(99, Math.floor((item.sent / item.bytes) * 100)) : 0; // 100 only with the receipt

// say is the honest word for where the recording is.
export function say(item: Item, online: boolean): string {
  switch (item.phase) {
    case "recording":
      return "Interrupted recording, on this device";
    case "waiting":
      if (!online) return "On this device. Sent as soon as the network is back";
      return item.problem ? "On this device. " + item.problem : "On this device, about to be sent";
    case "uploading":
      return item.sent >= item.bytes && item.bytes > 0 ? "Uploaded, waiting for the receipt" : `Uploading ${percent(item)}%` + (item.heard ? `, ${clock(item.heard)} min heard so far` : "");
    case "received":
      return "Received";
    case "refused":
      return "Not taken: " + (item.problem ?? "the server refused it") + " It is still on this device.";
  }
}

// permanent says whether trying again with the same bytes is pointless.
export const permanent = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 404, 408, 409, 410, 423, 425, 429].includes(status);

// patient is the longest wish of a server that is waited out within one try; a longer one is the pause of the round.
const patient = 5;

// worthRepeating says whether a failed request of an upload is repeated at once, behind what has arrived.
export const worthRepeating = (status: number, seconds: number): boolean =>
  status !== 401 && status !== 429 && !permanent(status) && seconds <= patient;

// later says in words when it is tried again, where that is long enough to be worth saying.
export const later = (seconds: number): string =>
  seconds < 10 ? "" : seconds < 90 ? ` Tried again in about ${seconds} seconds.` : ` Tried again in about ${Math.round(seconds / 60)} minutes.`;

// pause before the nth try, in milliseconds: 2 s doubling to 1 minute.
export const pause = (tries: number): number => Math.min(60_000, 2000 * Math.pow(2, Math.max(0, tries - 1)));

// inOrder is the order of sending: STAT first, then as they were made.
export const inOrder = (items: Item[]): Item[] =>
  [...items].sort((a, b) => Number(b.meta.priority === "stat") - Number(a.meta.priority === "stat") || a.made - b.made);

const longestWait = 600; // seconds, whatever the server asks for

// Pacing says when to try again. A server that puts routine recordings off is not asked about one before it said; STAT goes
// at any time, because it is always taken.
export class Pacing {
  private tries = 0;
  private routineFrom = 0; // ms since 1970

  sent(): void {
    this.tries = 0;
  }

  // failed returns the pause before the next round, in milliseconds. Spread out, so that those who were put off together do
  // not come back together.
  failed(item: Item, after: number, now: number, spread = Math.random()): number {
    this.tries++;
    const asked = Math.min(after, longestWait) * 1000 * (1 + spread / 4);
    if (asked > 0 && item.meta.priority !== "stat") this.routineFrom = Math.max(this.routineFrom, now + asked);
    return Math.max(pause(this.tries), asked);
  }

  // rest is how long this recording must not be tried yet, in milliseconds.
  rest(item: Item, now: number): number {
    return item.meta.priority === "stat" ? 0 : Math.max(0, this.routineFrom - now);
  }
}
