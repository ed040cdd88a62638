// Escalation rules as text, checked by the server; other systems that are told; messages that could not be sent.
import { post, postEmpty, request, words } from "../api.ts";
import { confirmed } from "../dialog.ts";
import { busy, byID, make, maybe, showError } from "../dom.ts";

const form = byID<HTMLFormElement>("rules");
const source = byID<HTMLTextAreaElement>("r-source");

interface Checked {
  rules: number;
  problems: { line: number; message: string }[];
}

// goTo puts the cursor on a line of the text.
function goTo(line: number): void {
  const lines = source.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  source.focus();
  source.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}

async function check(): Promise<boolean> {
  const c = await post<Checked>("/api/v1/escalations/check", { source: source.value });
  const list = byID("r-problems");
  list.replaceChildren(...c.problems.map((p) => {
    if (p.line === 0) return make("li", {}, p.message);
    const b = make("button", { type: "button", class: "link" }, `Line ${p.line}`);
    b.addEventListener("click", () => goTo(p.line));
    return make("li", {}, b, ": " + p.message);
  }));
  if (c.problems.length === 0) list.append(make("li", { class: "good-text" }, `${c.rules === 1 ? "One rule" : c.rules + " rules"}, nothing wrong.`));
  return c.problems.length === 0;
}

function run(b: HTMLButtonElement, act: () => Promise<unknown>): void {
  showError("rules-error", "");
  void busy(b, async () => {
    try {
      await act();
    } catch (err) {
      showError("rules-error", words(err));
      byID("rules-error").scrollIntoView({ block: "center" });
    }
  });
}

async function save(text: string): Promise<void> {
  await request("PUT", "/api/v1/escalations", { body: { number: Number(form.dataset["number"]), source: text } });
  location.reload();
}

byID<HTMLButtonElement>("r-check").addEventListener("click", (e) => run(e.currentTarget as HTMLButtonElement, check));
form.addEventListener("submit", (e) => {
  e.preventDefault();
  run(form.querySelector<HTMLButtonElement>("button[type=submit]")!, async () => {
    if (await check()) await save(source.value);
  });
});
maybe<HTMLButtonElement>("r-default")?.addEventListener("click", (e) => {
  const b = e.currentTarget as HTMLButtonElement;
  run(b, async () => {
    if (await confirmed("Go back to Vesper’s rules?", "Yours are kept in the record, but no longer hold.", "Go back", true)) await save("");
  });
});

for (const b of document.querySelectorAll<HTMLButtonElement>("button.remove")) {
  b.addEventListener("click", () => run(b, async () => {
    if (!(await confirmed("Tell this system no longer?", "What is on its way is still sent. The secret cannot be used again.", "Remove", true))) return;
    await postEmpty(`/api/v1/webhooks/${b.dataset["id"]}/remove`);
    location.reload();
  }));
}
for (const b of document.querySelectorAll<HTMLButtonElement>("button.resend")) {
  b.addEventListener("click", () => run(b, async () => {
    await postEmpty(`/api/v1/messages/${b.dataset["id"]}/resend`);
    location.reload();
  }));
}

const hook = byID<HTMLFormElement>("add-hook");
hook.addEventListener("submit", (e) => {
  e.preventDefault();
  run(hook.querySelector("button")!, async () => {
    const made = await post<{ secret: string }>("/api/v1/webhooks", { url: byID<HTMLInputElement>("h-url").value.trim() });
    byID("h-secret").textContent = made.secret;
    byID("h-secret-box").hidden = false;
    hook.hidden = true;
  });
});
