import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostError } from "../src/host/host";
import type { DeckState } from "../src/view/deck";
import { readState } from "../src/view/deck/state";
import type { WireRow } from "../src/model/wire";
import { DeckPage, layOut, settled, VIEWPORT } from "./support/deck";
import { expectAccessible } from "./support/page";
import { HOSTILE, makeWireRow, NOW } from "./support/wire";

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

/** Jobs that started one after the other, so that the last is the first row. */
function jobs(...names: string[]): WireRow[] {
  return names.map((name, i) => makeWireRow(i + 1, { name, started: NOW - 100 + i, ended: NOW - 50 }));
}

const MIXED: WireRow[] = [
  makeWireRow(1, { name: "fit", started: NOW - 60, ended: NOW - 40, result: '{"iteration": 3, "loss": 0.031}', tags: ["sweep"] }),
  makeWireRow(2, { name: "scan", status: "ERROR", started: NOW - 50, ended: NOW - 43, error: { kind: "exception", text: "ValueError: bond\nmore", traceback: null } }),
  makeWireRow(3, { name: "vqe", status: "RUNNING", started: NOW - 12, progress: { done: 57, total: 100, message: null }, latest: "energy -1.1369", engine: "qiskit", backend: "fake_manila" }),
  makeWireRow(4, { name: "ghz", status: "RUNNING", started: NOW - 11 }),
  makeWireRow(5, { name: "lih", status: "QUEUED" }),
];

function cell(name: string, column: string): string {
  return page.row(name).querySelector(`[data-column=${column}]`)?.textContent ?? "";
}

function chips(): (string | null)[] {
  return page.all(".jobdeck-chip").map((chip) => chip.textContent);
}

function pressed(): (string | null)[] {
  return page.all(".jobdeck-chip[aria-pressed=true]").map((chip) => chip.textContent);
}

describe("the deck's table", () => {
  it("tells of each job in a line, the last that started first and those that wait at the end", async () => {
    await page.open(MIXED);
    expect(page.names).toEqual(["ghz", "vqe", "scan", "fit", "lih"]);
    expect(cell("vqe", "status")).toBe("Running");
    expect(cell("vqe", "engine")).toBe("qiskit · fake_manila");
    expect(cell("vqe", "progress")).toBe("57%");
    expect(cell("vqe", "latest")).toBe("energy -1.1369");
    expect(cell("vqe", "took")).toBe("0:12");
    expect(cell("ghz", "progress")).toBe("no progress reported");
    expect(cell("scan", "latest")).toBe("ValueError: bond");
    expect(cell("fit", "latest")).toBe("loss 0.031");
    expect([cell("fit", "took"), cell("lih", "took")]).toEqual(["0:20", ""]);
  });

  it("follows what changes in the lines that are on the screen", async () => {
    await page.open(MIXED);
    const { id } = makeWireRow(3);
    const row = page.row("vqe");
    await page.frame({ changes: { [id]: { latest: "energy -1.2", progress: { done: 58, total: 100, message: null } } } });
    expect([cell("vqe", "latest"), cell("vqe", "progress")]).toEqual(["energy -1.2", "58%"]);
    await page.frame({ changes: { [id]: { status: "DONE", ended: NOW, result: "7" } } });
    expect([cell("vqe", "status"), cell("vqe", "progress"), cell("vqe", "latest")]).toEqual(["✓Done", "", "7"]);
    expect(page.row("vqe")).toBe(row);
  });

  it("paints the lines on the screen alone, and says how many there are", async () => {
    await page.open(Array.from({ length: 10_000 }, (_, i) => makeWireRow(i + 1)));
    expect(page.all("[data-id]").length).toBeLessThan(VIEWPORT.height / 20 + 14);
    expect(page.grid.getAttribute("aria-rowcount")).toBe("10001");
    expect(chips()).toEqual(["All 10,000", "Done 10,000"]);
  });

  it("sorts by a column's head, the other way round when it is pressed again", async () => {
    await page.open(jobs("fit[2]", "Alpha", "fit[10]"));
    await page.click(page.find("[data-column=name] .jobdeck-sort"));
    expect(page.names).toEqual(["Alpha", "fit[2]", "fit[10]"]);
    expect(page.find("[role=columnheader][data-column=name]").getAttribute("aria-sort")).toBe("ascending");
    await page.click(page.find("[data-column=name] .jobdeck-sort"));
    expect(page.names).toEqual(["fit[10]", "fit[2]", "Alpha"]);
    expect(page.find("[role=columnheader][data-column=started]").getAttribute("aria-sort")).toBe("none");
  });

  it("sorts what has ended elsewhere, with no word of its start, by when it was made", async () => {
    const at = (second: number): Partial<WireRow> => ({ created: NOW - 100 + second, ended: NOW - 90 + second });
    await page.open([
      makeWireRow(1, { name: "first", started: NOW - 99, ...at(1) }),
      makeWireRow(2, { name: "elsewhere", watched: true, ...at(2) }),
      makeWireRow(3, { name: "last", started: NOW - 97, ...at(3) }),
    ]);
    expect(page.names).toEqual(["last", "elsewhere", "first"]);
  });

  it("has heads that the arrow keys go through, and widen with Shift", async () => {
    const states: DeckState[] = [];
    await page.open(jobs("a"), { onState: (state) => states.push(state) });
    const heads = page.all(".jobdeck-sort");
    heads[0]?.focus();
    expect(await page.press("ArrowRight", {}, heads[0])).toBe(false);
    expect(document.activeElement).toBe(heads[1]);
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue({ width: 160 } as DOMRect);
    await page.press("ArrowRight", { shiftKey: true }, heads[1]);
    expect(states.at(-1)?.columns.find(({ id }) => id === "name")?.width).toBe(176);
    expect(page.grid.style.getPropertyValue("--jobdeck-columns")).toContain("176px");
  });

  it("shows text from jobs as text, cut", async () => {
    const long = "n".repeat(10_000);
    await page.open([
      makeWireRow(1, { name: HOSTILE, engine: HOSTILE, backend: HOSTILE, latest: HOSTILE, status: HOSTILE, tags: [HOSTILE] }),
      makeWireRow(2, { name: long, tags: Array.from({ length: 10_000 }, (_, i) => `tag ${i}`) }),
    ], { state: readState({ columns: ["name", "status", "tags", "engine"].map((id) => ({ id, width: 100 })) }) });
    expect(page.all("img")).toEqual([]);
    expect(page.names.some((name) => name === HOSTILE)).toBe(true);
    expect(page.names.find((name) => name.startsWith("nnn"))?.length).toBeLessThan(400);
    const tags = page.all("[data-column=tags].jobdeck-cell").map((each) => each.textContent);
    expect(tags).toContain("tag 0tag 1tag 2tag 3tag 4tag 5+9,994…");
    expect(page.root.textContent.length).toBeLessThan(5_000);
  });

  it("leaves columns out where it is as narrow as a side panel", async () => {
    VIEWPORT.width = 300;
    await page.open(MIXED);
    VIEWPORT.width = 1_000;
    const shown = page.all("[role=columnheader]").map((head) => head.dataset.column);
    expect(shown).toContain("status");
    expect(shown).toContain("name");
    expect(shown).not.toContain("engine");
  });

  it("says what there is where there are no lines", async () => {
    await page.open([]);
    expect(page.find(".jobdeck-grid-none").textContent).toMatch(/No jobs yet/);
    await page.frame({ rows: [makeWireRow(1)], total: 1 });
    await page.type("name:nothing");
    expect(page.find(".jobdeck-grid-none").textContent).toBe("No job matches.");
  });

  it("does not move rows while a pointer is about to click on one", async () => {
    await page.open(jobs("a", "b"));
    const body = page.find(".jobdeck-grid-body");
    const point = (type: string): Promise<void> =>
      act(() => void body.dispatchEvent(Object.assign(new Event(type, { bubbles: true }), { pointerType: "mouse" })));
    await point("pointermove");
    await page.frame({ rows: [makeWireRow(3, { name: "c", started: NOW })], total: 3 });
    expect(page.names).toEqual(["b", "a"]);
    expect(page.find(".jobdeck-foot").textContent).toMatch(/waits until the pointer rests/);
    await point("pointerleave");
    expect(page.names).toEqual(["c", "b", "a"]);
  });

  it("has nothing that axe finds, with a row open and a menu, too", async () => {
    await page.open(MIXED);
    await page.click(page.row("vqe"));
    await page.click("Actions");
    await expectAccessible(page.root);
    await page.click("Columns");
    await expectAccessible(page.root);
  });
});

describe("the status chips", () => {
  it("count the whole store and show one status, more of them, and all", async () => {
    await page.open(MIXED);
    expect(chips()).toEqual(["All 5", "Running 2", "Queued 1", "Done 1", "Error 1"]);
    const box = page.find("[role=combobox]") as HTMLInputElement;
    await page.click("Running 2");
    expect([box.value, page.names, pressed()]).toEqual(["status:running", ["ghz", "vqe"], ["Running 2"]]);
    await page.click("Error 1", { ctrlKey: true });
    expect([box.value, page.names, pressed()]).toEqual(["status:running,error", ["ghz", "vqe", "scan"], ["Running 2", "Error 1"]]);
    await page.click("Running 2", { ctrlKey: true });
    expect(box.value).toBe("status:error");
    await page.click("Error 1");
    expect([box.value, page.names.length, pressed()]).toEqual(["", 5, ["All 5"]]);
  });

  it("leave the rest of the query alone, and stay while they are chosen", async () => {
    await page.open(MIXED);
    await page.type("name:v* status:failed");
    expect(pressed()).toEqual(["Error 1"]);
    await page.click("Running 2");
    expect((page.find("[role=combobox]") as HTMLInputElement).value).toBe("status:running name:v*");
    expect(page.names).toEqual(["vqe"]);
    await page.frame({ counts: { DONE: 5 } });
    expect(pressed()).toEqual(["Running 0"]);
  });

  it("have none for a slip", async () => {
    await page.open(MIXED);
    await page.type("status:RUNNIG");
    expect(page.find(".jobdeck-fault").textContent).toContain('there is no status "RUNNIG"; did you mean running?');
    expect(chips()).toEqual(["All 5", "Running 2", "Queued 1", "Done 1", "Error 1"]);
  });
});

describe("the search box", () => {
  const options = (): (string | undefined)[] => page.all("[role=option] bdi").map((option) => option.textContent);
  const box = (): HTMLInputElement => page.find("[role=combobox]") as HTMLInputElement;

  it("finds as one types, and says how many", async () => {
    await page.open(MIXED);
    await page.type("tag:sweep");
    expect(page.names).toEqual(["fit"]);
    expect(page.find(".jobdeck-foot [role=status]").textContent).toBe("1 of 5 jobs");
  });

  it("underlines the bad word, says what is wrong, and leaves the jobs as they were", async () => {
    await page.open(MIXED);
    await page.type("tag:sweep");
    await page.type("energy<<3");
    expect(box().getAttribute("aria-invalid")).toBe("true");
    const fault = page.find("[role=alert]");
    expect(fault.querySelector("u")?.textContent).toBe("<<");
    expect(box().getAttribute("aria-describedby")).toBe(fault.id);
    expect(page.names).toEqual(["fit"]);
    await page.type("");
    expect(page.all("[role=alert]")).toEqual([]);
    expect(page.names).toHaveLength(5);
  });

  it("completes what is typed, by keyboard", async () => {
    await page.open(MIXED);
    await page.type("sta");
    expect(options()).toContain("status:");
    expect(box().getAttribute("aria-expanded")).toBe("true");
    await page.press("ArrowDown", {}, box());
    const chosen = page.find("[role=option][aria-selected=true]");
    expect(box().getAttribute("aria-activedescendant")).toBe(chosen.id);
    expect(await page.press("Enter", {}, box())).toBe(false);
    expect(box().value).toBe(chosen.querySelector("bdi")?.textContent);
    await page.type("tag:s");
    expect(options()).toEqual(["sweep"]);
    await page.press("Escape", {}, box());
    expect(box().getAttribute("aria-expanded")).toBe("false");
    await page.press("Escape", {}, box());
    expect(box().value).toBe("");
    // Where nothing is offered, the first Escape clears the box, and offers nothing either.
    await page.type("energy<-1");
    await page.press("Escape", {}, box());
    expect([box().value, box().getAttribute("aria-expanded")]).toEqual(["", "false"]);
  });

  it("completes by a press of the pointer", async () => {
    await page.open(MIXED);
    await page.type("name:v");
    await act(() => void page.find("[role=option]").dispatchEvent(new Event("pointerdown", { bubbles: true, cancelable: true })));
    expect(box().value).toBe("name:vqe");
    expect(page.names).toEqual(["vqe"]);
  });
});

describe("selecting", () => {
  const five = jobs("a", "b", "c", "d", "e");

  it("goes by click, with Ctrl and with Shift", async () => {
    await page.open(five);
    await page.click(page.row("d"));
    expect(page.selected).toEqual(["d"]);
    await page.click(page.row("b"), { shiftKey: true });
    expect(page.selected.sort()).toEqual(["b", "c", "d"]);
    await page.click(page.row("c"), { ctrlKey: true });
    expect(page.selected.sort()).toEqual(["b", "d"]);
    expect(page.find(".jobdeck-foot").textContent).toContain("2 selected");
  });

  it("goes by keyboard, and the page around hears none of it", async () => {
    await page.open(five);
    await act(() => page.grid.focus());
    const at = (): string | undefined => page.all(".jobdeck-is-active").map((row) => row.querySelector("[data-column=name]")?.textContent ?? "")[0];
    expect(at()).toBe("e");
    expect(await page.press("ArrowDown")).toBe(false);
    expect(at()).toBe("d");
    expect(page.grid.getAttribute("aria-activedescendant")).toBe(page.row("d").id);
    await page.press(" ");
    await page.press("ArrowDown", { shiftKey: true });
    expect(page.selected.sort()).toEqual(["c", "d"]);
    await page.press("End");
    expect(at()).toBe("a");
    await page.press("Home");
    expect(at()).toBe("e");
    await page.press("a", { ctrlKey: true });
    expect(page.selected).toHaveLength(5);
    await page.press("Escape");
    expect(page.selected).toEqual([]);
    expect(await page.press("F2")).toBe(true);
  });

  it("keeps to what is shown: a job that leaves is selected no more", async () => {
    await page.open(MIXED);
    await page.press("a", { ctrlKey: true });
    await page.type("status:running");
    expect(page.button("Cancel 2 selected")).toBeDefined();
    await page.frame({ changes: { [makeWireRow(4).id]: { status: "DONE" } } });
    expect(page.selected).toEqual(["vqe"]);
  });
});

describe("the detail pane", () => {
  it("opens with a click or Enter, closes with Escape, and leaves nothing behind", async () => {
    await page.open(MIXED);
    await page.click(page.row("fit"));
    expect(page.find(".jobdeck-pane article").dataset.jobId).toBe(makeWireRow(1).id);
    expect(page.find(".jobdeck-pane [role=tablist]")).toBeDefined();
    await page.press("ArrowDown");
    await page.press("Enter");
    expect(page.host.opened).toEqual([[makeWireRow(1).id], [makeWireRow(5).id]]);
    expect(page.host.watching).toBe(1);
    await page.press("Escape");
    expect(page.all(".jobdeck-pane")).toEqual([]);
    expect(page.host.watching).toBe(0);
  });

  it("says when its job was deleted meanwhile", async () => {
    vi.useFakeTimers();
    await page.open(MIXED);
    await page.click(page.row("fit"));
    await act(() => {
      page.host.forget();
      vi.advanceTimersByTime(1_000);
    });
    vi.useRealTimers();
    expect(page.find(".jobdeck-pane").textContent).toContain("This job is no longer in its store.");
  });

  it("is remembered, and opens for a job that is not loaded", async () => {
    await page.open(MIXED, { state: { ...readState(null), open: "k3v9qa-000000000099" } });
    expect(page.host.opened).toEqual([["k3v9qa-000000000099"]]);
  });
});

describe("acting on jobs", () => {
  const RUNNING = [3, 4].map((number) => makeWireRow(number).id).reverse();

  it("cancels what is selected and has not ended, and tells what each became", async () => {
    await page.open(MIXED);
    page.host.report = { counts: { cancelled: 312, asked: 8, ended: 3, refused: 2 }, reasons: { [makeWireRow(3).id]: "its engine cannot stop a job", [makeWireRow(4).id]: "its engine cannot stop a job" } };
    await page.click(page.row("ghz"));
    await page.click(page.row("scan"), { shiftKey: true });
    await page.click("Cancel 2 of 3 selected");
    expect(page.host.orders).toEqual([{ command: "cancel", ids: RUNNING }]);
    const report = page.find(".jobdeck-report");
    expect(report.getAttribute("role")).toBe("status");
    expect(report.textContent).toContain("312 cancelled, 8 asked to stop, 3 had ended before, 2 refused");
    expect(report.querySelector("li")?.textContent).toBe("vqe, ghz: its engine cannot stop a job");
    const ended = { status: "CANCELLED", ended: NOW };
    await page.frame({ changes: { [RUNNING[0] ?? ""]: ended, [RUNNING[1] ?? ""]: ended } });
    expect(page.find(".jobdeck-tools").textContent).toMatch(/^3 selected/);
    await page.click("Dismiss");
    expect(page.find(".jobdeck-report").textContent).toBe("");
  });

  it("asks first where nothing is selected, since it is about all that match", async () => {
    await page.open(MIXED);
    await page.click("Actions");
    expect(page.find("[role=menu]").textContent).toContain("All 5 that match");
    await page.click("Cancel (3)");
    expect(page.host.orders).toEqual([]);
    await page.click("Cancel 3 jobs");
    expect(page.host.orders).toEqual([{ command: "cancel", ids: [...RUNNING, makeWireRow(5).id] }]);
  });

  it("deletes only after it has asked, and only what has ended", async () => {
    await page.open(MIXED);
    await page.press("a", { ctrlKey: true });
    await page.click("Actions");
    await page.click("Delete… (2)");
    expect(page.find("dialog").textContent).toContain("cannot be undone");
    await page.click("Back");
    expect(page.host.orders).toEqual([]);
    await page.click("Actions");
    await page.click("Delete… (2)");
    await page.click("Delete 2 jobs");
    expect(page.host.orders).toEqual([{ command: "delete", ids: [makeWireRow(2).id, makeWireRow(1).id] }]);
  });

  it("opens the new job of a retry", async () => {
    await page.open(MIXED);
    page.host.report = { counts: { retried: 1 }, made: { [makeWireRow(2).id]: makeWireRow(1).id } };
    await page.click(page.row("scan"), { ctrlKey: true });
    await page.click("Actions");
    await page.click("Retry");
    expect(page.find(".jobdeck-pane article").dataset.jobId).toBe(makeWireRow(1).id);
  });

  it("retries one job with other inputs, and says why not beside them", async () => {
    await page.open([makeWireRow(1, { name: "fit", inputs: { r: "0.7" } })]);
    page.host.reply = { error: "r is no number" };
    await page.click("Actions");
    await page.click("Edit inputs and retry…");
    const field = page.find("textarea") as HTMLTextAreaElement;
    await act(() => {
      field.value = "0.8";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await settled(() => page.find("form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
    expect(page.host.commands).toEqual([[makeWireRow(1).id, "retry", { r: "0.8" }]]);
    expect(page.find("dialog [role=alert]").textContent).toBe("r is no number");
  });

  it("says why nothing could be done", async () => {
    await page.open(MIXED);
    page.host.bulk = () => Promise.reject(new HostError("The Jupyter server has not answered."));
    await page.click(page.row("ghz"), { ctrlKey: true });
    await page.click("Cancel 1 selected");
    expect(page.find(".jobdeck-report").textContent).toContain("The Jupyter server has not answered.");
    expect((page.button("Cancel 1 selected")).disabled).toBe(false);
  });

  it("sends very many in parts, and adds up what became of them", async () => {
    await page.open(Array.from({ length: 5_000 }, (_, i) => makeWireRow(i + 1, { status: "QUEUED" })));
    page.host.report = { counts: { cancelled: 2_500 } };
    await page.press("a", { ctrlKey: true });
    await page.click("Cancel 5,000 selected");
    await page.click("Cancel 5,000 jobs");
    expect(page.host.orders.map((order) => order.ids?.length)).toEqual([4_000, 1_000]);
    expect(page.find(".jobdeck-report").textContent).toContain("5,000 cancelled");
  });

  it("offers nothing that cannot be done in a saved notebook", async () => {
    Object.assign(page.host.capabilities, { live: false, commands: false });
    await page.open(MIXED);
    await page.click(page.row("ghz"), { ctrlKey: true });
    expect(page.root.textContent).not.toContain("Cancel 1 selected");
    await page.click("Actions");
    const able = page.all("[role=menuitem]").filter((item) => !(item as HTMLButtonElement).disabled);
    expect(able.map((item) => item.textContent)).toEqual(["Export as CSV", "Export as JSON"]);
  });
});

describe("what a deck remembers", () => {
  it("comes back as it was chosen", async () => {
    const states: DeckState[] = [];
    await page.open(MIXED, { onState: (state) => states.push(state) });
    expect(states).toEqual([]);
    await page.type("status:running");
    await page.click(page.find("[data-column=name] .jobdeck-sort"));
    await page.click("Timeline");
    await page.click(page.row("vqe"));
    const last = states.at(-1);
    expect(last).toMatchObject({ query: "status:running", sort: { column: "name", descending: false }, timeline: false, open: makeWireRow(3).id });
    expect(readState(JSON.parse(JSON.stringify(last)))).toEqual(last);
  });

  it("is as at first where it makes no sense", () => {
    const plain = readState(null);
    expect(readState({ query: 7, sort: { column: "nonsense" }, columns: [{ id: "nonsense", width: 9 }, null], open: 1, timeline: "no" })).toEqual(plain);
    expect(readState({ columns: [{ id: "value:energy", width: 1e9 }] }).columns).toEqual([{ id: "value:energy", width: 2_000 }]);
  });

  it("has the columns that were chosen, in their order", async () => {
    await page.open([makeWireRow(1, { name: "a", values: { energy: -1.1369 } })]);
    await page.click("Columns");
    const boxes = (): HTMLInputElement[] => page.all(".jobdeck-choice input") as HTMLInputElement[];
    const energy = boxes().find((box) => box.parentElement?.textContent === "energy");
    await act(() => energy?.click());
    expect(page.find("[data-column='value:energy'].jobdeck-cell:not([role=columnheader])").textContent).toBe("-1.1369");
    await page.click("Move energy up");
    const heads = page.all("[role=columnheader]").map((head) => head.dataset.column);
    expect(heads.slice(-2)).toEqual(["value:energy", "took"]);
    await page.click("As at first");
    expect(page.all("[role=columnheader]")).toHaveLength(7);
  });
});
