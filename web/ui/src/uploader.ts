// Brings what waits on this device to the server, one recording at a time, in one tab at a time.
import * as tus from "tus-js-client";
import { Problem, readProblem, request } from "./api.ts";
import { inOrder, later, Pacing, passing, permanent, step, worthRepeating, type Event, type Item } from "./outbox.ts";
import { retryAfter } from "./retry.ts";
import * as store from "./store.ts";
import { fields } from "./tus.ts";

const endpoint = "/api/v1/uploads";
const chunkSize = 4 << 20; // bytes of one PATCH: what a broken connection can cost at most

export class Uploader {
  private running = false;
  private again = false;
  private readonly pacing = new Pacing();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly owner: string, private readonly changed: (item: Item) => void) {
    addEventListener("online", () => this.kick());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.kick();
    });
  }

  // kick starts a round now, whatever pause was planned; only what the server put off waits on.
  kick(): void {
    clearTimeout(this.timer);
    this.again = true;
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.again) {
        this.again = false;
        await navigator.locks.request("vesper-outbox", () => this.round());
      }
    } finally {
      this.running = false;
    }
  }

  private async round(): Promise<void> {
    for (const { key } of inOrder(await store.items(this.owner))) {
      const item = await store.item(key);
      if (!item || (item.phase !== "waiting" && item.phase !== "uploading")) continue;
      const rest = this.pacing.rest(item, Date.now());
      const wait = rest > 0 ? rest : await this.send(item);
      if (wait > 0) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.kick(), wait);
        return;
      }
      this.pacing.sent();
    }
  }

  private async apply(item: Item, e: Event): Promise<Item> {
    const next = step(item, e);
    if (next !== item) {
      if (e.kind === "received") await store.dropBytes(next);
      else if (!passing(e)) await store.keep(next);
      this.changed(next);
    }
    return next;
  }

  // send returns the pause after which the round should try again, 0 when this one is settled.
  private async send(first: Item): Promise<number> {
    let item = await this.apply(first, { kind: "started" });
    const body = await store.recording(item);
    if (body.size === 0) {
      await this.apply(item, { kind: "refused", problem: "The recording on this device is empty." });
      return 0;
    }
    try {
      const receipt = await this.transfer(body, item, (e) => {
        item = step(item, e);
        if (!passing(e)) void store.keep(item);
        this.changed(item);
      });
      await this.apply(item, { kind: "received", dictation: receipt });
      return 0;
    } catch (err) {
      const { status, text, after } = await explain(err);
      const refused = permanent(status);
      await this.apply(item, { kind: refused ? "refused" : "interrupted", problem: refused ? text : text + later(after) });
      if (status === 401) document.dispatchEvent(new CustomEvent("vesper:signed-out"));
      return refused ? 0 : this.pacing.failed(item, after, Date.now());
    }
  }

  private async transfer(body: Blob, item: Item, tell: (e: Event) => void): Promise<string> {
    const last = await this.push(body, item, tell);
    if (last.dictation) return last.dictation;
    // All bytes are there but the receipt is not: ask for it.
    const res = await request("POST", last.url + "/finish");
    return ((await res.json()) as { id: string }).id;
  }

  private push(body: Blob, item: Item, tell: (e: Event) => void): Promise<{ url: string; dictation: string }> {
    return new Promise((resolve, reject) => {
      const upload = new tus.Upload(body, {
        endpoint,
        ...(item.url ? { uploadUrl: item.url } : {}),
        chunkSize,
        retryDelays: [500, 2000, 5000],
        storeFingerprintForResuming: false,
        removeFingerprintOnSuccess: true,
        metadata: fields(item),
        uploadLengthDeferred: item.open === true, // begun while it was being recorded
        onUploadUrlAvailable: () => tell(upload.url ? { kind: "started", url: upload.url } : { kind: "started" }),
        onProgress: (sent) => tell({ kind: "progress", sent }),
        onAfterResponse: (_, res) => tell({ kind: "heard", seconds: Number(res.getHeader("Vesper-Heard") ?? 0) }),
        onShouldRetry: (err) => {
          const res = err.originalResponse;
          return navigator.onLine && worthRepeating(res?.getStatus() ?? 0, retryAfter(res?.getHeader("Retry-After"), Date.now()));
        },
        onError: reject,
        onSuccess: ({ lastResponse }) => resolve({ url: upload.url ?? "", dictation: lastResponse.getHeader("Vesper-Dictation") ?? "" }),
      });
      upload.start();
    });
  }
}

async function explain(err: unknown): Promise<{ status: number; text: string; after: number }> {
  if (err instanceof tus.DetailedError && err.originalResponse) {
    const res = err.originalResponse;
    const p = await readProblem(new Response(res.getBody() || "{}", { status: res.getStatus() < 200 ? 500 : res.getStatus() }));
    return { status: res.getStatus(), text: p.message, after: retryAfter(res.getHeader("Retry-After"), Date.now()) };
  }
  const { status = 0, after = 0 } = err instanceof Problem ? err : {};
  return { status, text: status ? (err as Error).message : "The server cannot be reached; it is tried again.", after };
}
