// Starts the real binary with a fresh data folder, and Chromium with a recording for a microphone.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, chmodSync, readFileSync, rmSync, existsSync, createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { chromium } from "playwright-core";

const root = new URL("../../../", import.meta.url).pathname;

// startStack runs `vesper up --demo` and returns its address, logins by role and a stop function.
export async function startStack() {
  const dir = mkdtempSync(join(tmpdir(), "vesper-e2e-"));
  chmodSync(dir, 0o711); // PostgreSQL's own user must pass through
  const data = join(dir, "data");
  const child = spawn(join(root, "bin/vesper"), ["up", "--demo", "--data", data, "--listen", "127.0.0.1:18180"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.pipe(createWriteStream(join(dir, "log")));
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    url = line.match(/Vesper is ready:\s+(\S+)/)?.[1] ?? "";
    if (url) break;
  }
  if (!url) throw new Error("vesper up did not start:\n" + readFileSync(join(dir, "log"), "utf8").slice(-4000));
  child.stdout.resume();
  const logins = {};
  for (const l of JSON.parse(readFileSync(join(data, "secrets/demo-logins"), "utf8"))) logins[l.role] ??= l;
  const stop = async () => {
    const gone = once(child, "exit");
    child.kill("SIGINT");
    const [code] = await gone;
    rmSync(dir, { recursive: true, force: true });
    return code;
  };
  return { url, logins, dir, stop };
}

// microphone turns a dictation of the corpus into the WAV file that Chromium plays into its microphone.
export function microphone(dir, name = "family-hypertension") {
  const folder = join(root, "testdata/dictations", name);
  const audio = ["ogg", "mp3", "m4a", "webm", "flac", "wav"].map((x) => join(folder, "audio." + x)).find(existsSync);
  const wav = join(dir, "microphone.wav");
  execFileSync("ffmpeg", ["-v", "error", "-y", "-i", audio, "-ar", "48000", "-ac", "1", wav]);
  return wav;
}

// openChromium starts a headless browser whose microphone is the given file.
export function openChromium(wav) {
  const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"].find((p) => p && existsSync(p));
  if (!executablePath) throw new Error("no Chromium was found; run internal/setup/deps.sh --test");
  return chromium.launch({
    executablePath,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${wav}%noloop`],
  });
}

export const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true };
export const desktop = { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 };

// signIn opens a context of its own for a person and logs in through the page. Anything that the page says against the
// content security policy, and any script error, ends up in page.complaints.
export async function signIn(browser, url, login, device) {
  const context = await browser.newContext({ ...device, permissions: ["microphone"] });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (e) => page.complaints.push(String(e)));
  page.on("console", (m) => {
    if (m.type() === "error" && /Content Security Policy|Uncaught/.test(m.text())) page.complaints.push(m.text());
  });
  await page.goto(url + "/login");
  await page.fill("#login", login.login);
  await page.fill("#password", login.password);
  await page.click('[data-testid="login-form"] button[type="submit"]');
  await page.waitForURL((u) => !u.pathname.startsWith("/login"));
  return page;
}

// shot saves a screenshot when SHOTS names a folder.
export async function shot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, name + ".png") });
}
