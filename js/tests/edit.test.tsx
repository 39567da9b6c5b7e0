import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tagsOf } from "../src/model/tags";
import { EditInputs, EditTags } from "../src/view/deck/edit";
import { expectAccessible, Page } from "./support/page";
import { HOSTILE } from "./support/wire";

let page: Page;

beforeEach(() => {
  page = new Page();
});

afterEach(() => page.close());

function boxes(): HTMLTextAreaElement[] {
  return page.all("textarea") as HTMLTextAreaElement[];
}

async function settle(label: string): Promise<void> {
  await act(async () => {
    page.button(label).click();
    await Promise.resolve();
  });
}

describe("retrying with edited inputs", () => {
  const onRetry = vi.fn<(inputs: Record<string, string>) => Promise<string | null>>();
  const onClose = vi.fn();
  const edit = (inputs: Record<string, string>) => (
    <EditInputs row={{ id: "a", name: HOSTILE, inputs }} onRetry={onRetry} onClose={onClose} />
  );

  beforeEach(() => {
    onRetry.mockReset().mockResolvedValue(null);
    onClose.mockReset();
  });

  it("has a labelled box for each input, with what is known of it", async () => {
    await page.show(edit({ bond: "0.74", basis: "'sto-3g'" }));
    expect(boxes().map((box) => [page.find(`label[for="${box.id}"]`).textContent, box.value])).toEqual([
      ["bond", "0.74"],
      ["basis", "'sto-3g'"],
    ]);
    expect(page.find("h2").textContent).toBe(`Retry ${HOSTILE}`);
    expect(page.all("img")).toEqual([]);
    await expectAccessible(page.root);
  });

  it("sends what was changed alone, and closes", async () => {
    await page.show(edit({ bond: "0.74", basis: "'sto-3g'", shots: "100" }));
    await page.type(boxes()[0] as HTMLTextAreaElement, "0.8");
    await page.type(boxes()[2] as HTMLTextAreaElement, "5");
    await page.type(boxes()[2] as HTMLTextAreaElement, "100");
    await settle("Retry with changes");
    expect(onRetry.mock.calls).toEqual([[{ bond: "0.8" }]]);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it("without a change retries the job as it was", async () => {
    await page.show(edit({ __proto__: "1", bond: "1" }));
    await settle("Retry as it was");
    expect(onRetry.mock.calls).toEqual([[{}]]);
  });

  it("shows a refusal beside the inputs, which stay as they are", async () => {
    onRetry.mockResolvedValueOnce("bond: 0.8.1 is no Python literal and no JSON");
    await page.show(edit({ bond: "0.74" }));
    await page.type(boxes()[0] as HTMLTextAreaElement, "0.8.1");
    await settle("Retry with changes");
    expect(page.find("[role=alert]").textContent).toBe("bond: 0.8.1 is no Python literal and no JSON");
    expect([onClose.mock.calls.length, boxes()[0]?.value]).toEqual([0, "0.8.1"]);
    onRetry.mockRejectedValueOnce(new Error("The connection is lost."));
    await settle("Retry with changes");
    expect(page.find("[role=alert]").textContent).toBe("The connection is lost.");
    await settle("Retry with changes");
    expect(onClose).toHaveBeenCalledOnce();
  });

  it.each(["'a long te…", "[1, 2, … 88 more]", "{'a': […]}"])("says that %s was cut, and does not send a rest of it", async (preview) => {
    await page.show(edit({ geometry: preview }));
    const [box] = boxes();
    if (!box) throw new Error("there is a box");
    expect(page.find(`#${box.getAttribute("aria-describedby") ?? ""}`).textContent).toContain("Only a part of it is shown");
    await page.type(box, `${preview}'`);
    expect(page.find("[role=alert]").textContent).toContain("geometry still has the …");
    await page.press("Enter", box, { ctrlKey: true });
    expect(onRetry).not.toHaveBeenCalled();
    await page.type(box, "[1, 2]");
    await page.press("Enter", box, { ctrlKey: true });
    expect(onRetry.mock.calls).toEqual([[{ geometry: "[1, 2]" }]]);
  });

  it("says what cannot be shown as text", async () => {
    await page.show(edit({ matrix: "<ndarray 3×3 float64>", note: "'done…'" }));
    expect(page.all(".jobdeck-field-note").map((note) => note.textContent)).toEqual([
      "It cannot be shown as text. It is used as it is unless you type another.",
    ]);
  });

  it("sends once, however often it is asked to", async () => {
    let answer: (refusal: string | null) => void = () => undefined;
    onRetry.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    await page.show(edit({ bond: "0.74" }));
    const [box] = boxes();
    await page.press("Enter", box, { ctrlKey: true });
    await page.press("Enter", box, { ctrlKey: true });
    expect(page.button("Retry as it was").disabled).toBe(true);
    expect(onRetry).toHaveBeenCalledOnce();
    await act(async () => {
      answer("no");
      await Promise.resolve();
    });
    expect(page.button("Retry as it was").disabled).toBe(false);
  });

  it("that was closed meanwhile does nothing more", async () => {
    let answer: (refusal: string | null) => void = () => undefined;
    onRetry.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    await page.show(edit({ bond: "0.74" }));
    await settle("Retry as it was");
    await page.show(null);
    answer(null);
    await Promise.resolve();
    expect(onClose).not.toHaveBeenCalled();
  });
});

describe("tags of many jobs", () => {
  const onSave = vi.fn<(add: string[], remove: string[]) => Promise<string | null>>();
  const onClose = vi.fn();
  const rows = [{ tags: ["h2", "sweep"] }, { tags: ["h2"] }, { tags: ["h2", HOSTILE] }];
  const edit = (of = rows) => <EditTags rows={of} onSave={onSave} onClose={onClose} />;
  const box = (tag: string): HTMLInputElement => {
    const label = page.all("label.jobdeck-tag-box").find((one) => one.querySelector("bdi")?.textContent === tag);
    const input = label?.querySelector("input");
    if (!input) throw new Error(`no box for ${tag}: ${page.root.textContent}`);
    return input;
  };
  const stateOf = (tag: string): string => (box(tag).indeterminate ? "some" : box(tag).checked ? "all" : "none");
  const press = (tag: string): Promise<void> => act(() => box(tag).click());
  const saved = async (): Promise<[string[], string[]] | undefined> => {
    await settle("Save");
    return onSave.mock.calls.at(-1);
  };

  beforeEach(() => {
    onSave.mockReset().mockResolvedValue(null);
    onClose.mockReset();
  });

  it("are counted, those of most jobs first", () => {
    expect(tagsOf([{ tags: ["b", "a", "a"] }, { tags: ["b"] }, { tags: ["c"] }])).toEqual([
      { tag: "b", count: 2 },
      { tag: "a", count: 1 },
      { tag: "c", count: 1 },
    ]);
  });

  it("are those of all and those of some, which say of how many", async () => {
    await page.show(edit());
    expect([stateOf("h2"), stateOf("sweep"), stateOf(HOSTILE)]).toEqual(["all", "some", "some"]);
    expect(page.find("h2").textContent).toBe("Tags of 3 jobs");
    expect(box("sweep").parentElement?.textContent).toContain("1 of 3");
    expect(page.all("img")).toEqual([]);
    await expectAccessible(page.root);
  });

  it("are given to all, taken away, or left as they are; what is untouched is not sent", async () => {
    await page.show(edit());
    await press("h2");
    await press("sweep");
    expect([stateOf("h2"), stateOf("sweep"), stateOf(HOSTILE)]).toEqual(["none", "all", "some"]);
    expect(await saved()).toEqual([["sweep"], ["h2"]]);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it("of some jobs go to all, to none, and back", async () => {
    await page.show(edit());
    const seen: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      await press("sweep");
      seen.push(stateOf("sweep"));
    }
    expect(seen).toEqual(["all", "none", "some"]);
    expect(await saved()).toEqual([[], []]);
  });

  it("are added by typing, also one that nobody pressed Add for", async () => {
    await page.show(edit());
    const input = page.find("input[type=text]") as HTMLInputElement;
    await page.type(input, " new ");
    await page.press("Enter", input);
    expect([stateOf("new"), input.value, onSave.mock.calls.length]).toEqual(["all", "", 0]);
    await page.type(input, "newer");
    expect(await saved()).toEqual([["new", "newer"], []]);
  });

  it("show a refusal and stay open", async () => {
    onSave.mockResolvedValueOnce("A tag has at most 100 characters.");
    await page.show(edit());
    await settle("Save");
    expect(page.find("[role=alert]").textContent).toBe("A tag has at most 100 characters.");
    expect(onClose).not.toHaveBeenCalled();
  });

  it("by the ten thousand are found by typing", async () => {
    await page.show(edit([{ tags: Array.from({ length: 10_000 }, (_, i) => `tag-${i}`) }]));
    expect(page.all(".jobdeck-tag-box").length).toBe(100);
    expect(page.find(".jobdeck-tag-list").textContent).toContain("… 9,900 more");
    await page.type(page.find("input[type=text]") as HTMLInputElement, "TAG-777");
    expect(page.all(".jobdeck-tag-box").map((one) => one.textContent)).toContain("tag-7770");
    expect(page.all(".jobdeck-tag-box").length).toBe(11);
  });
});
