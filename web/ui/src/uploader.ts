// Brings what waits on this device to the server, one recording at a time, in one tab at a time.
import * as tus from "tus-js-client";
import { request, readProblem } from "./api.ts";
import { later, pauseAfter, permanent, step, wished, worthRepeating, type Event, type Item } from "./outbox.ts";
import * as store from "./store.ts";
import { fields } from "./tus.ts";

const endpoint = "/api/v1/uploads";
const chunkSize = 4 << 20; // bytes of one PATCH: what a broken connection can cost at most

export class Uploader {
  private running = false;
  private again = false;
  private tries = 0;
  private wish = 0; // seconds that the server asked for with its last refusal
  private notBefore = 0; // ms since 1970
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly owner: string, private readonly changed: (item: Item) => void) {
    addEventListener("online", () => this.kick());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.kick();
    });
  }

  // kick starts a round now, whatever pause was planned by ourselves. A pause that the server asked for is kept.
  kick(): void {
    clearTimeout(this.timer);
    const wait = this.notBefore - Date.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.kick(), wait);
      return;
    }
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
    for (const { key } of await store.items(this.owner)) {
      const item = await store.item(key);
      if (!item || (item.phase !== "waiting" && item.phase !== "uploading")) continue;
      if (!(await this.send(item))) {
        this.tries++;
        const wait = pauseAfter(this.tries, this.wish, Math.random());
        this.notBefore = this.wish > 0 ? Date.now() + wait : 0;
        this.timer = setTimeout(() => this.kick(), wait);
        return;
      }
      this.tries = 0;
    }
  }

  private async apply(item: Item, e: Event): Promise<Item> {
    const next = step(item, e);
    if (next !== item) {
      if (e.kind === "received") await store.dropBytes(next);
      else if (e.kind !== "progress") await store.keep(next);
      this.changed(next);
    }
    return next;
  }

  // send returns false when the round should pause and try again.
  private async send(first: Item): Promise<boolean> {
    let item = await this.apply(first, { kind: "started" });
    const body = await store.recording(item);
    if (body.size === 0) {
      await this.apply(item, { kind: "refused", problem: "The recording on this device is empty." });
      return true;
    }
    try {
      const receipt = await this.transfer(body, item, (e) => {
        item = step(item, e);
        if (e.kind !== "progress") void store.keep(item);
        this.changed(item);
      });
      await this.apply(item, { kind: "received", dictation: receipt });
      return true;
    } catch (err) {
      const { status, text, seconds } = await explain(err);
      const refused = permanent(status);
      this.wish = seconds;
      await this.apply(item, { kind: refused ? "refused" : "interrupted", problem: refused ? text : text + later(seconds) });
      if (status === 401) document.dispatchEvent(new CustomEvent("vesper:signed-out"));
      return refused;
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
        onShouldRetry: (err) => {
          const status = err.originalResponse?.getStatus() ?? 0;
          return navigator.onLine && worthRepeating(status, wished(err.originalResponse?.getHeader("Retry-After"), Date.now()));
        },
        onError: reject,
        onSuccess: ({ lastResponse }) => resolve({ url: upload.url ?? "", dictation: lastResponse.getHeader("Vesper-Dictation") ?? "" }),
      });
      upload.start();
    });
  }
}

async function explain(err: unknown): Promise<{ status: number; text: string; seconds: number }> {
  if (err instanceof tus.DetailedError && err.originalResponse) {
    const res = err.originalResponse;
    const p = await readProblem(new Response(res.getBody() || "{}", { status: res.getStatus() < 200 ? 500 : res.getStatus() }));
    return { status: res.getStatus(), text: p.message, seconds: wished(res.getHeader("Retry-After"), Date.now()) };
  }
  const status = (err as { status?: number }).status ?? 0;
  return { status, seconds: (err as { after?: number }).after ?? 0, text: status ? (err as Error).message : "The server cannot be reached; it is tried again." };
}
