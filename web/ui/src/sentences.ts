// Sentences of a rendered note that are heard when they are pressed.
import type { Player } from "./player.ts";
import { at } from "./time.ts";

export function spansOf(el: HTMLElement): [number, number][] {
  return (el.dataset["spans"] ?? "").split(";").filter(Boolean).map((s) => {
    const [a, b] = s.split(",").map(Number);
    return [a ?? 0, b ?? 0];
  });
}

export function bindSentences(player: Player | null, chosen?: (el: HTMLElement) => void): void {
  const all = [...document.querySelectorAll<HTMLElement>(".sentence")];
  for (const el of all) {
    const press = () => {
      for (const other of all) other.classList.toggle("chosen", other === el);
      chosen?.(el);
      const spans = spansOf(el);
      if (spans.length > 0) player?.playSpans(spans);
    };
    el.addEventListener("click", press);
    el.addEventListener("keydown", (e) => {
      if (e.key === "Enter" || e.key === " ") {
        e.preventDefault();
        press();
      }
    });
  }
  const timed = all
    .flatMap((el) => spansOf(el).map(([start, end]) => ({ el, start, end })))
    .sort((a, b) => a.start - b.start);
  player?.onTime((t) => {
    const now = player.playing ? timed[at(timed, t)]?.el : undefined;
    for (const el of all) el.classList.toggle("spoken", el === now);
  });
  for (const b of document.querySelectorAll<HTMLButtonElement>("button.listen")) {
    b.addEventListener("click", () => player?.playSpans([[Number(b.dataset["start"]), Number(b.dataset["end"])]]));
  }
}
