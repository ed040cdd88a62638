// Sends a recording while it is being made, so that it is nearly there, and nearly heard, when it stops. The copy on this
// device stays the truth: whatever goes wrong here is made up for by the ordinary upload, which goes on from where the
// server stands.
//
//	begin (length not known yet) ─▶ piece ─▶ piece ─▶ … ─▶ the uploader sends the rest and says how long it is
//	   ▲                              │
//	   └── other visit, upload gone ──┘
import type { Item } from "./outbox.ts";
import { metadata } from "./tus.ts";

export const liveAfter = 15; // seconds of recording before anything is sent: a short note costs one request, as before
const tick = 5000; // ms between two pieces
const grace = 2000; // ms that a request may still take when the recording stops: on a dead network nobody waits for it
const longest = 60_000; // ms that any request may take; the server keeps what arrived of it

export interface Answer { status: number; header(name: string): string | null }

// Link is how requests reach the server; tests have their own. cut ends one that hangs.
export type Link = (method: string, url: string, headers: Record<string, string>, body?: Blob, cut?: AbortSignal) => Promise<Answer>;

export interface Source {
  item(): Item; // as it is now, with the choices of this moment
  bytes(): Promise<Blob>; // all that is kept on this device
  place(url: string | undefined): void; // where the upload stands, to be kept with the item
  heard(seconds: number): void;
}

export class LiveUpload {
  private sent = -1; // bytes that the server has; −1: ask
  private meta = ""; // what the upload was begun with
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> = Promise.resolve();
  private over = false;
  private readonly cut = new AbortController();

  constructor(private readonly source: Source, private readonly link: Link = fetched, every = tick, private readonly patience = grace) {
    const next = (): void => {
      this.timer = setTimeout(() => {
        this.running = this.step().catch(() => { this.sent = -1; });
        void this.running.then(() => { if (!this.over) next(); });
      }, every);
    };
    next();
  }

  // stop ends it soon, whatever the network does; what the server has by then stays there.
  async stop(): Promise<void> {
    this.over = true;
    clearTimeout(this.timer);
    const hurry = setTimeout(() => this.cut.abort(), this.patience);
    await this.running;
    clearTimeout(hurry);
  }

  // withdraw ends it and takes back what was sent.
  async withdraw(): Promise<void> {
    await this.stop();
    const { url } = this.source.item();
    if (url) void remove(url, this.link); // it goes on by itself: nobody has to wait for it
  }

  // step sends what is new.
  async step(): Promise<void> {
    const item = this.source.item();
    const meta = JSON.stringify(item.meta);
    if (item.url && meta !== this.meta) { // begun for another visit: what was sent would become a dictation of that one
      this.source.place(undefined);
      await remove(item.url, this.link, this.cut.signal);
      return;
    }
    if (!item.url) return item.seconds >= liveAfter ? await this.begin(item, meta) : undefined;
    if (this.sent < 0) await this.ask(item.url);
    if (this.sent < 0) return;
    const body = (await this.source.bytes()).slice(this.sent);
    if (body.size === 0) return;
    const res = await this.link("PATCH", item.url, { "Upload-Offset": String(this.sent), "Content-Type": "application/offset+octet-stream" }, body, this.cut.signal);
    this.sent = res.status === 204 ? Number(res.header("Upload-Offset") ?? -1) : -1;
    this.source.heard(Number(res.header("Vesper-Heard") ?? 0));
  }

  private async begin(item: Item, meta: string): Promise<void> {
    const res = await this.link("POST", "/api/v1/uploads", { "Upload-Defer-Length": "1", "Upload-Metadata": metadata(item) }, undefined, this.cut.signal);
    const url = res.header("Location");
    if (res.status !== 201 || !url) return;
    this.sent = 0;
    this.meta = meta;
    this.source.place(url);
  }

  private async ask(url: string): Promise<void> {
    const res = await this.link("HEAD", url, {}, undefined, this.cut.signal);
    if (res.status === 200) this.sent = Number(res.header("Upload-Offset") ?? -1);
    if (res.status === 404 || res.status === 410) this.source.place(undefined);
  }
}

async function fetched(method: string, url: string, headers: Record<string, string>, body?: Blob, cut?: AbortSignal): Promise<Answer> {
  const own = new AbortController();
  const end = (): void => own.abort();
  const late = setTimeout(end, longest);
  cut?.addEventListener("abort", end);
  try {
    cut?.throwIfAborted();
    const res = await fetch(url, {
      method, headers: { "Tus-Resumable": "1.0.0", ...headers }, credentials: "same-origin", cache: "no-store", signal: own.signal, ...(body ? { body } : {}),
    });
    return { status: res.status, header: (name) => res.headers.get(name) };
  } finally {
    clearTimeout(late);
    cut?.removeEventListener("abort", end);
  }
}

// remove takes an upload back. If that cannot be said now, the server forgets it by itself.
export async function remove(url: string, link: Link = fetched, cut?: AbortSignal): Promise<void> {
  await link("DELETE", url, {}, undefined, cut).catch(() => undefined);
}
