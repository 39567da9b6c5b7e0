/** Builds the anywidget modules and their style sheets into the Python package, and holds them to their budgets. */
import { build } from "esbuild";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

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
  await build({ ...common, entryPoints: [script], format: "esm", outfile: `${out}${name}.js` });
  await build({ ...common, entryPoints: [style], outfile: `${out}${name}.css` });
  let total = 0;
  for (const file of [`${name}.js`, `${name}.css`]) {
    const size = gzipSync(await readFile(out + file)).length;
    total += size;
    console.log(`${file}: ${(size / KIB).toFixed(1)} KiB gzipped`);
  }
  if (total > budget) throw new Error(`the bundle ${name} is ${total} bytes gzipped, over its budget of ${budget}`);
}
