import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HostError } from "../src/host/host";
import { Requests } from "../src/host/requests";
import { moment, ordinal } from "../src/model/time";
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

it("a deck's box says what is wrong with a query, and what can stand in one, in the reader's language", async () => {
  await page.open([makeWireRow(1)], { trans: quoting });
  await page.type("status:RUNNIG");
  expect(page.find(".jobdeck-fault bdi").textContent).toBe('«there is no status "RUNNIG"; did you mean running?»');
  await page.type("st");
  expect(page.all("[role=option] .jobdeck-quiet").map((hint) => hint.textContent)).toEqual([
    "«running, done, failed, waiting, active, ended …»",
    "«started:<1h is less than an hour ago»",
  ]);
});

it("places in line and months are told in the reader's language", () => {
  const german: Record<string, string> = { "{n}rd": "{n}.", May: "Mai", "{month} {day} {time}": "{day}. {month} {time}" };
  const trans = translator((text) => german[text] ?? text);
  expect(ordinal(3, trans)).toBe("3.");
  const [then, now] = [new Date(2025, 4, 2, 12, 5), new Date(2025, 10, 20)].map((date) => date.getTime() / 1_000) as [number, number];
  expect([moment(then, now, trans), moment(then, now, translator())]).toEqual(["2. Mai 12:05", "May 2 12:05"]);
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
