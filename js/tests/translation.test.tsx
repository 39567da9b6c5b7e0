import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HostError } from "../src/host/host";
import { Requests } from "../src/host/requests";
import { translator } from "../src/model/translation";
import { DeckPage, layOut } from "./support/deck";
import { makeGroup, makeWireRow, NOW } from "./support/wire";

const quoting = translator((text) => `«${text}»`);
const page = new DeckPage();

beforeEach(() => {
  layOut();
});

afterEach(() => {
  page.close();
  vi.restoreAllMocks();
});

/** All that people read or have read to them, but for what is in numbers and signs alone. */
function* textsOf(root: Element): Generator<string> {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) yield walker.currentNode.nodeValue ?? "";
  for (const name of ["aria-label", "aria-valuetext", "placeholder", "title"]) {
    for (const element of root.querySelectorAll(`[${name}]`)) yield element.getAttribute(name) ?? "";
  }
}

it("a deck says all of its texts in the reader's language, and a job's own as they are", async () => {
  const own = ["job name", "engine name", "other job"];
  const rows = [
    makeWireRow(4, { name: "job name", engine: "engine name", status: "RUNNING", started: NOW - 5, ended: null, progress: null }),
    makeWireRow(3, { name: "other job", engine: "engine name", status: "QUEUED", started: null, ended: null }),
    makeWireRow(2, { name: "other job", engine: "engine name", status: "ERROR", group: "s" }),
    makeWireRow(1, { name: "other job", engine: "engine name", group: "s" }),
  ];
  await page.open(rows, { trans: quoting }, [makeGroup("s", { name: "job name", kind: "sweep", total: 3 })]);
  await page.click("«Actions»");
  const told = [...textsOf(page.root)].filter((text) => /\p{L}{2}/u.test(text) && !own.includes(text));
  expect(told).toContain("«Running»");
  expect(told).toContain("«no progress reported»");
  expect(told.filter((text) => !text.includes("«"))).toEqual([]);
});

it("values stand where the translation has them, and a text that nobody has translated stays", () => {
  const german: Record<string, string> = { "{n} of {total}": "von {total} sind {n} da" };
  const trans = translator((text) => german[text] ?? text);
  expect(trans.__("{n} of {total}", { n: 2, total: 3 })).toBe("von 3 sind 2 da");
  expect(trans.__("never {heard}")).toBe("never {heard}");
});

it("what a host says of a failure can be looked up where it is shown", async () => {
  const requests = new Requests(60_000, "late");
  const asked = requests.ask("reply", (request) => requests.answer({ type: "report", request, error: null, outcomes: {}, counts: {}, made: {}, reasons: {} }));
  const failure = await asked.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostError);
  expect(quoting.gettext((failure as HostError).message)).toBe("«The answer was not the one that was asked for.»");
});
