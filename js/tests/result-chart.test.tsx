import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chartsOf, isCounted, layOut, markAt, marksOf, roundScale, rowsOf, shortLabel } from "../src/model/marks";
import type { ChartInfo, EstimatesInfo, HistogramInfo } from "../src/model/wire";
import { fileName } from "../src/view/files";
import { ResultChart } from "../src/view/result-chart";
import { expectAccessible, Page } from "./support/page";
import { HOSTILE } from "./support/wire";

const BELL: HistogramInfo = { kind: "histogram", labels: ["11", "00"], counts: [529, 495], shots: 1_024, more: 0 };
const CUT: HistogramInfo = { kind: "histogram", labels: ["01", "10"], counts: [60, 30], shots: 100, more: 2 };
const CHANCES: HistogramInfo = { kind: "histogram", labels: ["0", "1"], counts: [0.25, 0.75], shots: 1, more: 0 };
const ENERGIES: EstimatesInfo = { kind: "estimates", values: [-1.1373, null, 2], errors: [0.0023, null, null], labels: ["[0, 0]", "[0, 1]", "[1, 0]"], more: 0 };

describe("marks", () => {
  it("of counts are in the order of their outcomes, or the largest first", () => {
    const labelsOf = (chart: HistogramInfo, byCount: boolean): string[] => marksOf(chart, byCount).map(({ label }) => label);
    expect(labelsOf(BELL, false)).toEqual(["00", "11"]);
    expect(labelsOf(BELL, true)).toEqual(["11", "00"]);
    const numbers: HistogramInfo = { ...BELL, labels: ["10", "-2", "9", "-10"], counts: [1, 2, 3, 4] };
    expect(labelsOf(numbers, false)).toEqual(["-10", "-2", "9", "10"]);
  });

  it("of estimates keep their order, and are numbered where they have no names", () => {
    expect(marksOf({ ...ENERGIES, labels: null, errors: null }, true)).toEqual([
      { label: "0", value: -1.1373, error: null },
      { label: "1", value: null, error: null },
      { label: "2", value: 2, error: null },
    ]);
  });

  it("know counts from probabilities", () => {
    expect([BELL, CUT, CHANCES, { ...CHANCES, counts: [1], shots: 1 }].map(isCounted)).toEqual([true, true, false, false]);
  });

  it("become the rows of a file", () => {
    expect(rowsOf(BELL, marksOf(BELL, false))).toEqual([["outcome", "count", "probability"], ["00", 495, 495 / 1_024], ["11", 529, 529 / 1_024]]);
    expect(rowsOf(CHANCES, marksOf(CHANCES, false))).toEqual([["outcome", "probability"], ["0", 0.25], ["1", 0.75]]);
    expect(rowsOf(ENERGIES, marksOf(ENERGIES, false))[2]).toEqual(["[0, 1]", null, null]);
    expect(rowsOf({ ...ENERGIES, errors: null }, marksOf({ ...ENERGIES, errors: null }, false))[0]).toEqual(["label", "value"]);
  });

  it.each([
    [0, 529, 4, [0, 200, 400, 600]],
    [-1.2, -1, 4, [-1.2, -1.1, -1]],
    [0, 0, 4, [0, 0.5, 1]],
    [0.3, 0.3, 3, [0.2, 0.4]],
    [1e-9, 3e-9, 3, [1e-9, 2e-9, 3e-9]],
    [-5, 5, 3, [-5, 0, 5]],
  ])("from %f to %f stand on a scale of round numbers", (low, high, most, expected) => {
    const scale = roundScale(low, high, most);
    expect(scale[0]).toBeLessThanOrEqual(low);
    expect(scale.at(-1)).toBeGreaterThanOrEqual(high);
    if (low !== high) expect(scale).toEqual(expected);
    expect(scale.length).toBeGreaterThan(1);
  });

  it("fit into what room there is: names are turned where they would touch, and left out where even that is too much", () => {
    const many = Array.from({ length: 64 }, (_, i) => ({ label: i.toString(2).padStart(6, "0"), value: i, error: null }));
    const roomy = layOut(many.slice(0, 3), true, 600, 190);
    expect([roomy.areTurned, roomy.every]).toEqual([false, 1]);
    const dense = layOut(many, true, 840, 190);
    expect([dense.areTurned, dense.every]).toEqual([true, 1]);
    const narrow = layOut(many, true, 300, 190);
    expect(narrow.every).toBeGreaterThan(1);
    expect(narrow.left + 64 * narrow.pitch).toBeLessThanOrEqual(300);
    expect(markAt(narrow, 64, narrow.left + 10.5 * narrow.pitch)).toBe(10);
    expect([markAt(narrow, 64, 0), markAt(narrow, 64, 400)]).toEqual([null, null]);
  });

  it("without any number are placed all the same", () => {
    const { ticks } = layOut([{ label: "a", value: null, error: null }], false, 300, 190);
    expect(ticks.every(({ y }) => Number.isFinite(y))).toBe(true);
  });

  it("have short names", () => {
    expect(shortLabel("0".repeat(16))).toBe("0".repeat(16));
    expect(shortLabel("01".repeat(50))).toBe("0101010…1010101");
  });

  it("of several charts have a title each", () => {
    const many: ChartInfo = { kind: "many", charts: [BELL, CUT], titles: ["bell", "1"], more: 0 };
    expect(chartsOf(many).map(({ title }) => title)).toEqual(["bell", "#1"]);
  });
});

describe("a result's picture", () => {
  let page: Page;
  beforeEach(() => {
    page = new Page();
  });
  afterEach(() => page.close());
  const place = (): HTMLElement => page.find("[role=application]");
  const reading = (): string | null => page.find(".jobdeck-reading").textContent;

  it("tells what it is in one sentence", async () => {
    await page.show(<ResultChart chart={BELL} name="bell" />);
    const words = "Histogram, 1,024 shots · 2 outcomes: 00 · 495 of 1,024 · 48.3 %; 11 · 529 of 1,024 · 51.7 %";
    expect(page.find("svg[role=img]").getAttribute("aria-label")).toBe(words);
    expect(page.all("rect").length).toBe(2);
    expect(reading()).toBe("1,024 shots · 2 outcomes");
    await expectAccessible(page.root);
  });

  it("is read bar by bar with the arrow keys, which are not the notebook's", async () => {
    await page.show(<ResultChart chart={BELL} name="bell" />);
    expect(await page.press("ArrowRight", place())).toBeNull();
    expect(reading()).toBe("00 · 495 of 1,024 · 48.3 %");
    await page.press("ArrowRight", place());
    await page.press("ArrowRight", place());
    expect(page.all(".jobdeck-is-current").length).toBe(1);
    expect(page.find("[aria-live]").textContent).toBe("11 · 529 of 1,024 · 51.7 %");
    await page.press("Home", place());
    expect(reading()).toContain("00 ·");
    await page.press("Escape", place());
    expect(reading()).toBe("1,024 shots · 2 outcomes");
    expect(await page.press("a", place())).not.toBeNull();
  });

  it("is read by the pointer", async () => {
    await page.show(<ResultChart chart={BELL} name="bell" />);
    const move = (clientX: number): Promise<void> =>
      act(() => void place().dispatchEvent(new PointerEvent("pointermove", { clientX, bubbles: true })));
    await move(60);
    expect(reading()).toContain("00 · 495");
    expect(page.find("[aria-live]").textContent).toBe("");
    await move(1);
    expect(reading()).toBe("1,024 shots · 2 outcomes");
  });

  it("says how much is not shown", async () => {
    await page.show(<ResultChart chart={CUT} name="cut" />);
    expect(reading()).toBe("100 shots · 4 outcomes · the 2 largest; 2 more have 10 % together");
  });

  it("sorts by count where it is asked to", async () => {
    await page.show(<ResultChart chart={BELL} name="bell" />);
    const names = (): (string | null)[] => page.all(".jobdeck-mark-name").map((name) => name.textContent);
    expect(names()).toEqual(["00", "11"]);
    await page.click("Largest first");
    expect(names()).toEqual(["11", "00"]);
  });

  it("is a table for those who want the numbers", async () => {
    await page.show(<ResultChart chart={ENERGIES} name="vqe" />);
    expect(page.all(".jobdeck-error-bar").length).toBe(1);
    expect(page.all("circle").length).toBe(2);
    await page.click("Table");
    const cells = page.all("tbody tr").map((row) => [...row.children].map((cell) => cell.textContent));
    expect(cells).toEqual([
      ["[0, 0]", "-1.1373", "0.0023"],
      ["[0, 1]", "–", "–"],
      ["[1, 0]", "2", "–"],
    ]);
    await expectAccessible(page.root);
  });

  it("tells an estimate with its error", async () => {
    await page.show(<ResultChart chart={ENERGIES} name="vqe" />);
    await page.press("ArrowRight", place());
    expect(reading()).toBe("[0, 0] · -1.1373 ± 0.0023");
    await page.press("ArrowRight", place());
    expect(reading()).toBe("[0, 1] · no finite number");
  });

  it("of several charts shows the one that is chosen", async () => {
    await page.show(<ResultChart chart={{ kind: "many", charts: [BELL, ENERGIES], titles: [HOSTILE, "1"], more: 3 }} name="both" />);
    const chooser = page.find("select") as HTMLSelectElement;
    expect([...chooser.options].map((option) => option.textContent)).toEqual([HOSTILE, "#1"]);
    expect(page.root.textContent).toContain("and 3 more");
    await page.type(chooser, "1");
    expect(page.all("circle").length).toBe(2);
    await expectAccessible(page.root);
  });

  it("shows every label as text", async () => {
    await page.show(<ResultChart chart={{ ...BELL, labels: [HOSTILE, `${HOSTILE}2`] }} name={HOSTILE} />);
    expect(page.all("img, [onerror]")).toEqual([]);
    await page.click("Table");
    expect(page.all("img, [onerror]")).toEqual([]);
    expect(page.find("tbody th").textContent).toBe(HOSTILE);
  });

  it("is saved as CSV under the name of its job, and no label becomes a formula", async () => {
    const made: Blob[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      made.push(blob as Blob);
      return "blob:file";
    });
    const names: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
      names.push(this.download);
    });
    vi.useFakeTimers();
    await page.show(<ResultChart chart={{ ...BELL, labels: ["=1+1", "00"] }} name="../bell <1>" />);
    await page.click("Save as CSV");
    expect(await made[0]?.text()).toBe(`outcome,count,probability\r\n00,495,${495 / 1_024}\r\n'=1+1,529,${529 / 1_024}\r\n`);
    expect(names).toEqual(["bell-1.csv"]);
    vi.useRealTimers();
  });

  it("has a file name whatever its job is called", () => {
    expect(["", "..", "a/b", "vqe é", "x".repeat(200)].map((name) => fileName(name, "png"))).toEqual([
      "jobdeck.png",
      "jobdeck.png",
      "a-b.png",
      "vqe-é.png",
      `${"x".repeat(80)}.png`,
    ]);
  });
});
