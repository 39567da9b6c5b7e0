import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WireRow } from "../src/model/wire";
import type { DeckState } from "../src/view/deck";
import { readState } from "../src/view/deck/state";
import { DeckPage, layOut, VIEWPORT } from "./support/deck";
import { expectAccessible } from "./support/page";
import { HOSTILE, makeGroup, makeWireRow, NOW } from "./support/wire";

// There is no canvas here; what a card plots has tests of its own.
vi.mock("../src/view/plot", () => ({ Plot: () => null }));

let page: DeckPage;

beforeEach(() => {
  layOut();
  page = new DeckPage();
});

afterEach(() => {
  page.close();
});

/** A group of three among two other jobs, the later started the higher. */
const ROWS: WireRow[] = [
  makeWireRow(1, { name: "before", started: NOW - 90, ended: NOW - 80 }),
  makeWireRow(2, { name: "scan[1]", group: "s", started: NOW - 70, ended: NOW - 60, tags: ["odd"] }),
  makeWireRow(3, { name: "scan[2]", group: "s", started: NOW - 65, status: "ERROR", ended: NOW - 60, error: { kind: "exception", text: "no", traceback: null } }),
  makeWireRow(4, { name: "scan[3]", group: "s", started: NOW - 50, status: "RUNNING" }),
  makeWireRow(5, { name: "after", started: NOW - 20, ended: NOW - 10 }),
];
const GROUPS = [makeGroup("s", { name: "scan", tags: ["h2"], total: 4 })];

function cell(column: string): HTMLElement {
  const found = page.line("s").querySelector<HTMLElement>(`[data-column=${column}]`);
  if (!found) throw new Error(`the group has no ${column}`);
  return found;
}

describe("a group in the deck", () => {
  it("is one line that tells how its jobs stand", async () => {
    await page.open(ROWS, {}, GROUPS);
    expect(page.lines).toEqual(["after", "scan 4", "before"]);
    expect(cell("status").textContent).toBe("Running");
    expect(cell("latest").textContent).toBe("1 failed, 1 running, 1 done, 1 to come");
    expect(cell("progress").textContent).toBe("50%");
    expect(cell("progress").querySelector("[role=progressbar]")?.getAttribute("aria-valuetext")).toBe("1 failed, 1 running, 1 done, 1 to come");
    expect([...cell("progress").querySelectorAll(".jobdeck-mixed > span")].map((part) => part.className)).toEqual([
      "jobdeck-part-done",
      "jobdeck-part-error",
      "jobdeck-part-running",
      "",
    ]);
    expect(cell("took").textContent).toBe("1:10");
    expect(page.grid.getAttribute("role")).toBe("treegrid");
    expect(page.line("s").getAttribute("aria-expanded")).toBe("false");
    await expectAccessible(page.root);
  });

  it("follows its jobs", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.frame({ changes: { [makeWireRow(4).id]: { status: "DONE", ended: NOW } }, rows: [makeWireRow(6, { name: "scan[4]", group: "s", started: NOW - 5, ended: NOW })] });
    expect(cell("status").textContent).toBe("✕Error");
    expect(cell("latest").textContent).toBe("1 failed, 3 done");
    expect(page.lines).toEqual(["scan 4", "after", "before"]);
  });

  it("that was cancelled midway is told as cancelled, and how many of its jobs were", async () => {
    await page.open(ROWS.map((row) => (row.status === "ERROR" ? { ...row, status: "CANCELLED" } : row)), {}, GROUPS);
    await page.frame({ changes: { [makeWireRow(4).id]: { status: "CANCELLED", ended: NOW } }, rows: [makeWireRow(6, { name: "scan[4]", group: "s", started: NOW - 5, ended: NOW })] });
    expect(cell("status").textContent).toBe("⊘Cancelled");
    expect(cell("latest").textContent).toBe("2 cancelled, 2 done");
  });

  it("counts a job that was run again in it once", async () => {
    await page.open([...ROWS, makeWireRow(6, { name: "scan[2]", group: "s", status: "RUNNING", started: NOW - 1, retry_of: makeWireRow(3).id })], {}, [makeGroup("s", { name: "scan", total: 3 })]);
    expect(page.lines[0]).toBe("scan 3");
    expect(cell("latest").textContent).toBe("2 running, 1 done");
  });

  it("is opened and closed by a click, which selects its jobs", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.click(page.line("s"));
    expect(page.lines).toEqual(["after", "scan 4", "scan[3]", "scan[2]", "scan[1]", "before"]);
    expect(page.selected).toEqual(["scan[3]", "scan[2]", "scan[1]"]);
    expect(page.row("scan[3]").getAttribute("aria-level")).toBe("2");
    await expectAccessible(page.root);
    await page.click(page.line("s"));
    expect(page.lines).toEqual(["after", "scan 4", "before"]);
    expect(page.button("Cancel 1 of 3 selected")).toBeTruthy();
  });

  it("is opened by its mark without being selected", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.click(page.find(".jobdeck-twist"));
    expect([page.lines.length, page.selected]).toEqual([6, []]);
  });

  it("is opened by Enter and arrow right, left for its line by arrow left, and closed by that", async () => {
    await page.open(ROWS, {}, GROUPS);
    await act(() => page.grid.focus());
    await page.press("ArrowDown");
    expect(await page.press("ArrowRight")).toBe(false);
    expect(page.line("s").getAttribute("aria-expanded")).toBe("true");
    await page.press("ArrowDown");
    await page.press("ArrowDown");
    expect(page.grid.getAttribute("aria-activedescendant")).toBe(page.row("scan[2]").id);
    await page.press("ArrowLeft");
    expect(page.grid.getAttribute("aria-activedescendant")).toBe(page.line("s").id);
    await page.press("ArrowLeft");
    expect(page.lines).toEqual(["after", "scan 4", "before"]);
    await page.press("Enter");
    expect(page.lines.length).toBe(6);
    await page.press(" ");
    expect(page.selected).toEqual(["scan[3]", "scan[2]", "scan[1]"]);
    await page.press("ArrowDown");
    await page.press("Enter");
    expect(page.find(".jobdeck-pane")).toBeTruthy();
  });

  it("is acted on as its jobs", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.click(page.line("s"), { ctrlKey: true });
    await page.click("Cancel 1 of 3 selected");
    expect(page.host.orders).toEqual([{ command: "cancel", ids: [makeWireRow(4).id] }]);
    await page.press("a", { ctrlKey: true });
    await page.click("Actions");
    await page.click("Retry (4)");
    expect(page.host.orders.at(-1)).toMatchObject({ command: "retry", ids: [makeWireRow(5), makeWireRow(3), makeWireRow(2), makeWireRow(1)].map(({ id }) => id) });
  });

  it("shows the jobs that a query finds below it, and is as it was afterwards", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.type("tag:odd");
    expect(page.lines).toEqual(["scan 1 of 4", "scan[1]"]);
    await page.click(page.line("s"));
    expect(page.lines).toEqual(["scan 1 of 4"]);
    await page.type("name:scan");
    expect(page.lines).toEqual(["scan 4", "scan[3]", "scan[2]", "scan[1]"]);
    await page.type("");
    expect(page.lines).toEqual(["after", "scan 4", "before"]);
  });

  it("is sorted by the first of its jobs", async () => {
    await page.open(ROWS, {}, GROUPS);
    await page.click(page.find("[data-column=name] .jobdeck-sort"));
    expect(page.lines).toEqual(["after", "before", "scan 4"]);
    await page.click(page.line("s"));
    expect(page.lines).toEqual(["after", "before", "scan 4", "scan[1]", "scan[2]", "scan[3]"]);
  });

  it("is remembered as open, and need not be one line", async () => {
    const states: DeckState[] = [];
    await page.open(ROWS, { onState: (state) => states.push(state) }, GROUPS);
    await page.click(page.line("s"));
    expect(states.at(-1)).toMatchObject({ groups: ["s"], folding: true });
    await page.click("Groups");
    expect(page.lines).toEqual(["after", "scan[3]", "scan[2]", "scan[1]", "before"]);
    expect(page.grid.getAttribute("role")).toBe("grid");
    page.close();
    page = new DeckPage();
    await page.open(ROWS, { state: readState({ ...states.at(-1), folding: true }) }, GROUPS);
    expect(page.lines.length).toBe(6);
  });

  it("shows its words as text", async () => {
    await page.open([makeWireRow(1, { group: "s" })], {}, [makeGroup("s", { name: HOSTILE, tags: [HOSTILE], kind: HOSTILE })]);
    expect(page.all("img")).toEqual([]);
    expect(page.lines).toEqual([`${HOSTILE} 1`]);
  });

  it("of ten thousand jobs paints what is on the screen alone", async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => makeWireRow(i + 1, { group: i % 2 === 0 ? "a" : "b", started: NOW - 10_000 + i }));
    await page.open(rows, {}, [makeGroup("a"), makeGroup("b")]);
    expect(page.lines).toEqual(["set b 5,000", "set a 5,000"]);
    await page.click(page.line("b"));
    expect(page.grid.getAttribute("aria-rowcount")).toBe("5003");
    expect(page.all("[data-line]").length).toBeLessThan(VIEWPORT.height / 20 + 14);
  });

  it("of an executor's ten thousand calls is one line with its progress, opened on demand", async () => {
    const call = (i: number): WireRow =>
      makeWireRow(i + 1, {
        group: "e",
        engine: "pool",
        ...(i < 7_500 ? {} : { status: i < 7_502 ? "RUNNING" : "QUEUED", ended: null, cancel_state: i < 7_502 ? "unsupported" : null }),
        ...(i < 7_502 ? {} : { started: null }),
      });
    const rows = Array.from({ length: 10_000 }, (_, i) => call(i));
    await page.open(rows, {}, [makeGroup("e", { kind: "executor", name: "calls", total: null })]);
    expect(page.lines).toEqual(["calls 10,000"]);
    const bar = page.line("e").querySelector("[role=progressbar]");
    expect(bar?.getAttribute("aria-valuetext")).toBe("2 running, 2,498 queued, 7,500 done");
    await page.click(page.line("e"));
    expect(page.grid.getAttribute("aria-rowcount")).toBe("10002");
    expect(page.button("Cancel 2,500 of 10,000 selected")).toBeTruthy();
    expect(page.all("[data-line]").length).toBeLessThan(VIEWPORT.height / 20 + 14);
  });

  it("has no button for groups where there is none", async () => {
    await page.open([makeWireRow(1)]);
    expect(page.all("button").some((button) => button.textContent === "Groups")).toBe(false);
  });
});
