// Bundles the islands and the style sheet into web/static/build, from where the Go binary embeds them.
import { build } from "esbuild";
import { rmSync, mkdirSync, writeFileSync, readdirSync } from "node:fs";

const out = new URL("../static/build/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
for (const name of readdirSync(out)) {
  if (name !== ".gitkeep") rmSync(out + name, { recursive: true });
}
const islands = readdirSync(new URL("./src/islands/", import.meta.url)).filter((f) => f.endsWith(".ts"));
await build({
  entryPoints: [...islands.map((f) => "src/islands/" + f), "styles/vesper.css"],
  absWorkingDir: new URL(".", import.meta.url).pathname,
  outdir: out,
  entryNames: "[name]",
  bundle: true,
  minify: true,
  sourcemap: "linked",
  format: "esm",
  target: ["chrome110", "firefox115", "safari16.4"],
  legalComments: "linked",
  logLevel: "info",
});
writeFileSync(out + ".gitkeep", "");
