// Knows of other tabs of this browser that have the same note open.
export class Tabs {
  private readonly channel: BroadcastChannel;
  private readonly me = crypto.randomUUID();
  private readonly others = new Set<string>();

  constructor(id: string, private readonly show: (others: number) => void, private readonly saved: (number: number) => void) {
    this.channel = new BroadcastChannel("vesper-edit-" + id);
    this.channel.onmessage = (e: MessageEvent<{ kind: string; from: string; number?: number }>) => this.hear(e.data);
    this.channel.postMessage({ kind: "hello", from: this.me });
    addEventListener("pagehide", () => this.channel.postMessage({ kind: "bye", from: this.me }));
  }

  tellSaved(number: number): void {
    this.channel.postMessage({ kind: "saved", from: this.me, number });
  }

  private hear(m: { kind: string; from: string; number?: number }): void {
    if (m.kind === "bye") this.others.delete(m.from);
    else this.others.add(m.from);
    this.show(this.others.size);
    if (m.kind === "hello") this.channel.postMessage({ kind: "here", from: this.me });
    if (m.kind === "saved") this.saved(m.number ?? 0);
  }
}
