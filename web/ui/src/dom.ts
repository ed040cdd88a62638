// Small helpers around the DOM. Nothing here ever sets HTML from text.
export function byID<T extends HTMLElement = HTMLElement>(id: string): T {
  const el = document.getElementById(id);
  if (!el) throw new Error("missing element " + id);
  return el as T;
}

export const maybe = <T extends HTMLElement = HTMLElement>(id: string): T | null =>
  document.getElementById(id) as T | null;

type Child = Node | string | null | undefined | false;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attrs: Record<string, string | boolean> = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (value === false) continue;
    el.setAttribute(name, value === true ? "" : value);
  }
  for (const c of children) if (c) el.append(c);
  return el;
}

export function button(text: string, classes: string, act: () => void): HTMLButtonElement {
  const b = make("button", { type: "button", class: "btn " + classes }, text);
  b.addEventListener("click", act);
  return b;
}

export function showError(id: string, text: string): void {
  const el = byID(id);
  el.textContent = text;
  el.hidden = text === "";
}

let fading: ReturnType<typeof setTimeout> | undefined;
export function toast(text: string): void {
  const el = maybe("toast");
  if (!el) return;
  el.textContent = text;
  el.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => el.classList.remove("shown"), 5000);
}

// busy disables a button while its work runs, so that one press is one order.
export async function busy(b: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  if (b.disabled) return;
  b.disabled = true;
  b.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    b.disabled = false;
    b.removeAttribute("aria-busy");
  }
}

// localTimes writes the times of the page as this computer's clock has them.
export function localTimes(root: ParentNode = document): void {
  const form = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const t of root.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
    const at = new Date(t.dateTime);
    if (!Number.isNaN(at.getTime())) t.textContent = form.format(at);
  }
}
