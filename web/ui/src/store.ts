// Recordings on this device, in IndexedDB: the chunk that was recorded a second ago is already safe when the tab dies.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Item } from "./outbox.ts";

interface Schema extends DBSchema {
  items: { key: string; value: Item };
  chunks: { key: [string, number]; value: { key: string; n: number; blob: Blob } };
  drafts: { key: string; value: Draft };
}

// Draft is text of the editor that the server does not have yet.
export interface Draft { id: string; owner: string; base: number; at: number; sections: { key: string; text: string }[] }

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function db(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("vesper", 1, {
    upgrade(d) {
      d.createObjectStore("items", { keyPath: "key" });
      d.createObjectStore("chunks", { keyPath: ["key", "n"] });
      d.createObjectStore("drafts", { keyPath: "id" });
    },
  });
  return opened;
}

export async function items(owner: string): Promise<Item[]> {
  return (await (await db()).getAll("items")).filter((i) => i.owner === owner).sort((a, b) => a.made - b.made);
}

export const item = async (key: string): Promise<Item | undefined> => (await db()).get("items", key);
export const keep = async (i: Item): Promise<void> => void (await (await db()).put("items", i));

export async function addChunk(i: Item, n: number, blob: Blob): Promise<void> {
  const tx = (await db()).transaction(["items", "chunks"], "readwrite", { durability: "strict" });
  await Promise.all([tx.objectStore("chunks").put({ key: i.key, n, blob }), tx.objectStore("items").put(i), tx.done]);
}

const chunkRange = (key: string) => IDBKeyRange.bound([key, 0], [key, Number.MAX_SAFE_INTEGER]);

export async function recording(i: Item): Promise<Blob> {
  const parts = await (await db()).getAll("chunks", chunkRange(i.key));
  return new Blob(parts.map((p) => p.blob), { type: i.type });
}

// drop removes the bytes, and the item too unless it is to be kept as a line of the list.
export async function drop(key: string): Promise<void> {
  const tx = (await db()).transaction(["items", "chunks"], "readwrite");
  await Promise.all([tx.objectStore("chunks").delete(chunkRange(key)), tx.objectStore("items").delete(key), tx.done]);
}

export async function dropBytes(i: Item): Promise<void> {
  const tx = (await db()).transaction(["items", "chunks"], "readwrite");
  await Promise.all([tx.objectStore("chunks").delete(chunkRange(i.key)), tx.objectStore("items").put(i), tx.done]);
}

export const keepDraft = async (d: Draft): Promise<void> => void (await (await db()).put("drafts", d));
export const draft = async (id: string): Promise<Draft | undefined> => (await db()).get("drafts", id);
export const dropDraft = async (id: string): Promise<void> => (await db()).delete("drafts", id);
