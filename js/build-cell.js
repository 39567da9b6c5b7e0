/** Builds the anywidget modules and their style sheets into the Python package, and holds them to their budgets. */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const KIB = 1024;
/** A cell loads one of the two: cards are everywhere, the deck is in a cell or two. Budgets are of what is gzipped. */
const BUNDLES = [
  { name: "card", script: "src/widget.ts", style: "style/cards.css", budget: 80 * KIB },
  { name: "deck", script: "src/deck-widget.ts", style: "style/index.css", budget: 110 * KIB },
];
const out = fileURLToPath(new URL("../src/jobdeck/widgets/static/", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const common = { absWorkingDir: here, bundle: true, minify: true, legalComments: "none", target: "es2022", logLevel: "warning" };

/**
 * A module that unpacks the true one. anywidget sends it with every instance of a widget, so that it travels gzipped; a
 * page unpacks it once for all instances.
 */
function packed(name, gzipped) {
  const key = `jobdeck.${name}.${createHash("sha256").update(gzipped).digest("hex").slice(0, 16)}`;
  return `const data = "${gzipped.toString("base64")}";
async function unpack() {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const text = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const url = URL.createObjectURL(new Blob([await text], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
const load = () => (globalThis[Symbol.for("${key}")] ??= unpack());
export default {
  initialize: async (props) => (await load()).initialize(props),
  render: async (props) => (await load()).render(props),
};
`;
}

await mkdir(out, { recursive: true });
for (const { name, script, style, budget } of BUNDLES) {
  const built = await build({ ...common, entryPoints: [script], format: "esm", write: false });
  const gzipped = gzipSync(built.outputFiles[0].contents, { level: 9 });
  await writeFile(`${out}${name}.js`, packed(name, gzipped));
  await build({ ...common, entryPoints: [style], outfile: `${out}${name}.css` });
  const styles = gzipSync(await readFile(`${out}${name}.css`)).length;
  const kib = (bytes) => `${(bytes / KIB).toFixed(1)} KiB`;
  console.log(`${name}: ${kib(gzipped.length)} of script and ${kib(styles)} of style, gzipped`);
  const total = gzipped.length + styles;
  if (total > budget) throw new Error(`the bundle ${name} is ${total} bytes gzipped, over its budget of ${budget}`);
}
