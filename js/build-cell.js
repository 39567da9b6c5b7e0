/** Builds the anywidget module and its style sheet into the Python package, and holds them to their budget. */
import { build } from "esbuild";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 80 * 1024;
const out = fileURLToPath(new URL("../src/jobdeck/widgets/static/", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const common = { absWorkingDir: here, bundle: true, minify: true, legalComments: "none", target: "es2022", logLevel: "warning" };

await mkdir(out, { recursive: true });
await build({ ...common, entryPoints: ["src/widget.ts"], format: "esm", outfile: `${out}card.js` });
await build({ ...common, entryPoints: ["style/index.css"], outfile: `${out}card.css` });

let total = 0;
for (const name of ["card.js", "card.css"]) {
  const size = gzipSync(await readFile(out + name)).length;
  total += size;
  console.log(`${name}: ${(size / 1024).toFixed(1)} KiB gzipped`);
}
if (total > BUDGET) throw new Error(`the cell bundle is ${total} bytes gzipped, over its budget of ${BUDGET}`);
