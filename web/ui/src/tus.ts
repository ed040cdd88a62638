// What goes with a recording, as the tus protocol writes it.
import type { Item } from "./outbox.ts";

export function fields(item: Item): Record<string, string> {
  const all: Record<string, string> = { filename: item.name, filetype: item.type, client_key: item.key, ...item.meta };
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== ""));
}

export const metadata = (item: Item): string =>
  Object.entries(fields(item)).map(([k, v]) => k + " " + btoa(String.fromCharCode(...new TextEncoder().encode(v)))).join(",");
