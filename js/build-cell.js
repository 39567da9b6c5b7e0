/** Builds the anywidget modules and their style sheets into the Python package, and holds them to their budgets. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const KIB = 1024;
/** A cell loads one of the two: cards are everywhere, the deck is in a cell or two. */
const BUNDLES = [
  { name: "card", script: "src/widget.ts", style: "style/cards.css", budget: 80 * KIB },
  { name: "deck", script: "src/deck-widget.ts", style: "style/index.css", budget: 110 * KIB },
];
const out = fileURLToPath(new URL("../src/jobdeck/widgets/static/", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const common = { absWorkingDir: here, bundle: true, minify: true, legalComments: "none", target: "es2022", logLevel: "warning" };

await mkdir(out, { recursive: true });
for (const { name, script, style, budget } of BUNDLES) {
  const { outputFiles } = await build({ ...common, entryPoints: [script], format: "esm", write: false });
  const module = outputFiles[0].contents;
  await writeFile(`${out}${name}.js`, packed(name, module));
  await build({ ...common, entryPoints: [style], outfile: `${out}${name}.css` });
  const styles = gzipSync(await readFile(`${out}${name}.css`)).length;
  const total = gzipSync(module).length + styles;
  console.log(`${name}: ${(total / KIB).toFixed(1)} KiB gzipped, of which ${(styles / KIB).toFixed(1)} are styles`);
  if (total > budget) throw new Error(`the bundle ${name} is ${total} bytes gzipped, over its budget of ${budget}`);
}

/**
 * A module that unpacks another, once a page: a widget's code travels with each output, and again with every reload.
 * See docs/decisions/0016-code-travels-packed.md.
 */
function packed(name, module) {
  const key = `${name}-${createHash("sha256").update(module).digest("hex").slice(0, 16)}`;
  const body = gzipSync(module, { level: 9 }).toString("base64");
  return `const modules = (globalThis[Symbol.for("jobdeck.modules")] ??= {});
async function unpack() {
  const bytes = Uint8Array.from(atob("${body}"), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const url = URL.createObjectURL(new Blob([await new Response(stream).arrayBuffer()], { type: "text/javascript" }));
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
modules["${key}"] ??= unpack();
modules["${key}"].catch(() => delete modules["${key}"]);
export default (await modules["${key}"]).default;
`;
}
