import { get } from "../api.ts";
import { confirmed } from "../dialog.ts";
import { byID, showError, toast } from "../dom.ts";
import { every, fetchPage, swap } from "../fragment.ts";
import { LiveUpload, remove } from "../live.ts";
import { Meter } from "../meter.ts";
import { placed, step, type Item, type Meta } from "../outbox.ts";
import { OutboxList } from "../outboxlist.ts";
import { extension, Recorder, recordingType } from "../recorder.ts";
import * as store from "../store.ts";
import { pollAfter } from "../poll.ts";
import { clock } from "../time.ts";
import type { State, Status } from "../types.ts";
import { Uploader } from "../uploader.ts";

const owner = document.body.dataset["person"] ?? "";
const box = byID("recorder");
const record = byID<HTMLButtonElement>("record-button");
const stop = byID<HTMLButtonElement>("stop-button");
const discard = byID<HTMLButtonElement>("discard-button");
const meter = new Meter(byID<HTMLCanvasElement>("level"));
const list = new OutboxList(owner, () => uploader.kick());
const uploader = new Uploader(owner, (i) => {
  list.put(i);
  if (i.phase === "received") void received(i);
});

interface Live { recorder: Recorder; item: Item; saving: Promise<void>; release: () => void; upload: LiveUpload; heard: number }
let live: Live | null = null;
let starting = false;

// received moves the line from "on this device" to "received": the copy here is gone.
async function received(i: Item): Promise<void> {
  toast("Received. It is safe on the server.");
  await refresh();
  setTimeout(() => {
    list.remove(i.key);
    void store.drop(i.key);
  }, 4000);
}

async function refresh(): Promise<void> {
  const page = await fetchPage(location.pathname);
  if (page) swap("recent", page);
}

// The list is read again only when one of its dictations moved: reading patients and visits is an event of the record.
async function lookWhetherMoved(): Promise<void> {
  for (const el of document.querySelectorAll<HTMLElement>("#recent [data-id][data-at]")) {
    const at = el.dataset["at"] as State;
    if (pollAfter(at, 0) === 0) continue;
    try {
      const s = await get<Status>(`/api/v1/dictations/${el.dataset["id"]}/status`, { background: true });
      if (s.state !== at) return await refresh();
    } catch {
      return;
    }
  }
}

// How long a recording would wait is asked for lightly, and said as the server says it.
async function lookAtQueue(): Promise<void> {
  try {
    const q = await get<{ text: string }>("/api/v1/queue", { background: true });
    const line = byID("queue-words");
    line.hidden = q.text === "";
    if (line.textContent !== q.text) line.textContent = q.text;
  } catch {
    // away from the network: the outbox says so
  }
}

function choices(): { meta: Meta; label: string } {
  const visit = byID<HTMLSelectElement>("visit").selectedOptions[0];
  return {
    meta: {
      encounter: visit?.value ?? "", patient: visit?.dataset["patient"] ?? "",
      work_type: byID<HTMLSelectElement>("work-type").value, priority: byID<HTMLInputElement>("stat").checked ? "stat" : "routine",
    },
    label: visit?.dataset["name"] || (visit?.value ? visit.text : "No visit chosen"),
  };
}

function fresh(name: string, type: string): Item {
  const { meta, label } = choices();
  return { key: crypto.randomUUID(), owner, made: Date.now(), phase: "recording", name, type, label, seconds: 0, bytes: 0, chunks: 0, meta, sent: 0 };
}

// room refuses to begin what could not be kept to its end.
async function room(): Promise<boolean> {
  void navigator.storage?.persist?.();
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return quota - usage > 30e6; // about an hour of speech
}

function hold(key: string): () => void {
  let release = () => {};
  void navigator.locks.request("vesper-rec-" + key, () => new Promise<void>((done) => { release = done; }));
  return () => release();
}

async function begin(): Promise<void> {
  const type = recordingType();
  if (!type || !navigator.mediaDevices) {
    showError("dictate-error", "This browser cannot record here. Open Vesper over https, or hand in a file below.");
    return;
  }
  if (!(await room())) {
    showError("dictate-error", "This device has no room left for a recording. Free some space, then record.");
    return;
  }
  const item = fresh(`dictation-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${extension(type)}`, type.split(";")[0]!);
  const recorder = await Recorder.open(type, { piece: (b) => keepPiece(b), ended: () => void finish("The microphone went away. What was recorded is kept.") });
  live = { recorder, item, saving: store.keep(item), release: hold(item.key), upload: sending(item.key), heard: 0 };
  show();
  void navigator.wakeLock?.request("screen").catch(() => undefined);
}

// sending sends the recording while it is being made. What it sends is what is kept on this device, with the choices of that
// moment; where it stands is kept with it, so that the uploader goes on from there also after a crash.
function sending(key: string): LiveUpload {
  const now = (): Live | null => (live?.item.key === key ? live : null);
  return new LiveUpload({
    item: () => {
      const mine = now()!;
      mine.item = { ...mine.item, ...choices() };
      return mine.item;
    },
    bytes: async () => {
      await now()!.saving;
      return store.recording(now()!.item);
    },
    place: (url) => {
      const mine = now()!;
      const item = mine.item = placed(mine.item, url);
      mine.saving = mine.saving.then(() => store.keep(item)).catch(() => undefined); // the next piece keeps it, too
    },
    heard: (seconds) => {
      const mine = now();
      if (mine) mine.heard = seconds;
    },
  });
}

// Pieces are written one after the other; a piece that cannot be written is told at once.
function keepPiece(blob: Blob): void {
  const now = live;
  if (!now) return;
  const n = now.item.chunks;
  now.item = { ...now.item, chunks: n + 1, bytes: now.item.bytes + blob.size, seconds: now.recorder.seconds };
  const item = now.item;
  now.saving = now.saving.then(() => store.addChunk(item, n, blob)).catch(() => {
    showError("dictate-error", "This device could not keep the last second. Stop and send now, so that the rest is safe.");
  });
}

async function finish(why = ""): Promise<void> {
  const now = live;
  if (!now) return;
  stop.disabled = true;
  const seconds = await now.recorder.stop();
  await now.upload.stop();
  await now.saving;
  const { meta, label } = choices();
  const { url } = now.item;
  if (url && JSON.stringify(meta) !== JSON.stringify(now.item.meta)) { // the visit was changed in the last seconds
    now.item = placed(now.item, undefined);
    void remove(url);
  }
  const item = step({ ...now.item, meta, label }, { kind: "stopped", seconds, bytes: now.item.bytes, chunks: now.item.chunks });
  await store.keep(item);
  now.release();
  live = null;
  stop.disabled = false;
  show();
  if (why) toast(why);
  list.put(item);
  uploader.kick();
}

async function throwAway(): Promise<void> {
  const now = live;
  if (!now) return;
  now.recorder.pause();
  show();
  if (!(await confirmed("Discard this recording?", "It was not received. What was sent of it already is taken back.", "Discard", true))) return;
  await now.recorder.stop();
  await now.upload.withdraw();
  await now.saving;
  await store.drop(now.item.key);
  now.release();
  live = null;
  show();
}

function show(): void {
  const state = !live ? "idle" : live.recorder.paused ? "paused" : "recording";
  box.dataset["state"] = state;
  record.querySelector(".record-text")!.textContent = { idle: "Record", recording: "Pause", paused: "Go on" }[state];
  record.setAttribute("aria-pressed", String(state === "recording"));
  stop.hidden = discard.hidden = !live;
  byID("record-hint").textContent = {
    idle: "One press starts the recording. A second one pauses it.",
    recording: "Recording. Every second is kept on this device.",
    paused: "Paused. Nothing is being recorded.",
  }[state];
  if (!live) {
    meter.clear();
    byID("elapsed").textContent = "0:00";
  }
}

let silent = 0;
setInterval(() => {
  if (!live) return;
  const level = live.recorder.level();
  meter.push(level);
  byID("elapsed").textContent = clock(live.recorder.seconds);
  silent = level < 0.004 && !live.recorder.paused ? silent + 0.1 : 0;
  if (silent > 6) byID("record-hint").textContent = "Nothing can be heard. Is the microphone muted?";
  else if (silent === 0 && !live.recorder.paused) byID("record-hint").textContent = "Recording. Every second is kept on this device." + (live.heard ? ` ${clock(live.heard)} min are heard already.` : "");
}, 100);
setInterval(() => {
  if (live) document.dispatchEvent(new CustomEvent("vesper:here"));
}, 20_000);

record.addEventListener("click", () => {
  showError("dictate-error", "");
  if (live) {
    if (live.recorder.paused) live.recorder.resume();
    else live.recorder.pause();
    show();
    return;
  }
  if (starting) return;
  starting = true;
  begin().catch(() => showError("dictate-error", "The microphone could not be opened. Allow it in the browser, or hand in a file below."))
    .finally(() => { starting = false; });
});
stop.addEventListener("click", () => void finish());
discard.addEventListener("click", () => void throwAway());

byID("upload-button").addEventListener("click", () => {
  const input = byID<HTMLInputElement>("file-input");
  const file = input.files?.[0];
  showError("dictate-error", file ? "" : "Choose a recording first.");
  if (!file) return;
  void takeFile(file).then(() => { input.value = ""; }, () => showError("dictate-error", "The file could not be kept on this device. Is there room left?"));
});

async function takeFile(file: File): Promise<void> {
  const item = { ...fresh(file.name.slice(0, 200), file.type), chunks: 1, bytes: file.size };
  await store.addChunk(item, 0, file);
  const ready = step(item, { kind: "stopped", seconds: 0, bytes: file.size, chunks: 1 });
  await store.keep(ready);
  list.put(ready);
  uploader.kick();
}

byID("dictate-form").addEventListener("submit", (e) => e.preventDefault());
addEventListener("beforeunload", (e) => {
  if (live) e.preventDefault();
});
document.addEventListener("vesper:leaving", (e) => {
  if (!live) return;
  e.preventDefault();
  toast("A recording is running. Stop or discard it first.");
});

function network(): void {
  const chip = byID("network");
  chip.hidden = navigator.onLine;
  chip.className = "chip warn";
  chip.textContent = navigator.onLine ? "" : "No network: recordings stay on this device";
}
addEventListener("online", network);
addEventListener("offline", network);
network();

void navigator.locks.query().then(async ({ held = [] }) => {
  const others = new Set(held.map((l) => l.name));
  await list.load((key) => others.has("vesper-rec-" + key)); // another tab is recording these
  uploader.kick();
});
every(6, lookWhetherMoved);
every(30, lookAtQueue);
