// Talks to the JSON API. A failure is a Problem with a text for people; the network being away is one of them.
import { retryAfter } from "./retry.ts";

export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string, readonly after = 0) {
    super(detail);
  }
}

interface Options {
  body?: unknown;
  background?: boolean; // the page asks by itself: does not count as the person being there
  keepalive?: boolean; // outlives the page
  signal?: AbortSignal;
}

export const offline = (): Problem =>
  new Problem(0, "offline", "The server cannot be reached. Check the network; nothing you wrote is lost.");

export async function request(method: string, path: string, o: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (o.body !== undefined) headers["Content-Type"] = "application/json";
  if (o.background) headers["Vesper-Background"] = "1";
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (o.body !== undefined) init.body = JSON.stringify(o.body);
  if (o.keepalive) init.keepalive = true;
  if (o.signal) init.signal = o.signal;
  let res: Response;
  try {
    res = await fetch(path, init);
  } catch (err) {
    if (err instanceof DOMException && err.name === "AbortError") throw err;
    throw offline();
  }
  if (res.ok) return res;
  const problem = await readProblem(res);
  if (res.status === 401 && !path.endsWith("/session")) document.dispatchEvent(new CustomEvent("vesper:signed-out"));
  throw problem;
}

export async function readProblem(res: Response): Promise<Problem> {
  try {
    const p = (await res.json()) as { code?: string; detail?: string };
    const after = retryAfter(res.headers.get("Retry-After"), Date.now());
    return new Problem(res.status, p.code ?? "unknown", p.detail ?? "Something went wrong. Try again.", after);
  } catch {
    return new Problem(res.status, "unknown", `The server answered with an error (${res.status}). Try again.`);
  }
}

export async function get<T>(path: string, o: Options = {}): Promise<T> {
  return (await (await request("GET", path, o)).json()) as T;
}

export async function post<T>(path: string, body?: unknown, o: Options = {}): Promise<T> {
  const res = await request("POST", path, { ...o, body: body ?? {} });
  return res.status === 204 ? (undefined as T) : ((await res.json()) as T);
}

// postEmpty is for steps that take no body.
export async function postEmpty<T>(path: string, o: Options = {}): Promise<T> {
  const res = await request("POST", path, o);
  return res.status === 204 ? (undefined as T) : ((await res.json()) as T);
}

export async function put<T>(path: string, body: unknown, o: Options = {}): Promise<T> {
  return (await (await request("PUT", path, { ...o, body })).json()) as T;
}

export const words = (err: unknown): string =>
  err instanceof Problem ? err.message : "Something went wrong in this window. Reload the page; nothing you saved is lost.";
