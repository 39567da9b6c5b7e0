import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Confirm, Dialog } from "../src/view/deck/dialog";
import { expectAccessible, Page } from "./support/page";
import { HOSTILE } from "./support/wire";

let page: Page;

beforeEach(() => {
  page = new Page();
});

afterEach(() => page.close());

describe("a dialog", () => {
  const dialog = (onClose: () => void) => (
    <Dialog title={HOSTILE} onClose={onClose}>
      <p>{"Words"}</p>
    </Dialog>
  );

  it("is modal, has its title as its name, and shows it as text", async () => {
    const modal = vi.spyOn(HTMLDialogElement.prototype, "showModal");
    await page.show(dialog(vi.fn()));
    expect(modal).toHaveBeenCalledOnce();
    const element = page.find("dialog") as HTMLDialogElement;
    expect(element.open).toBe(true);
    expect(page.find(`#${element.getAttribute("aria-labelledby") ?? ""}`).textContent).toBe(HOSTILE);
    expect(page.all("img")).toEqual([]);
    await expectAccessible(page.root);
  });

  it("is closed by Escape and by its button, each by asking whoever opened it", async () => {
    const onClose = vi.fn();
    await page.show(dialog(onClose));
    const cancel = new Event("cancel", { cancelable: true });
    await act(() => void page.find("dialog").dispatchEvent(cancel));
    expect(cancel.defaultPrevented).toBe(true);
    expect(onClose).toHaveBeenCalledTimes(1);
    await page.click("Close");
    expect(onClose).toHaveBeenCalledTimes(2);
  });

  it("that the browser closes by itself tells so; one that is taken away does not", async () => {
    const onClose = vi.fn();
    await page.show(dialog(onClose));
    await act(() => void page.find("dialog").dispatchEvent(new Event("close")));
    expect(onClose).toHaveBeenCalledTimes(1);
    await page.show(null);
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  it("gives the focus back to where it was", async () => {
    const button = document.createElement("button");
    page.root.before(button);
    button.focus();
    await page.show(dialog(vi.fn()));
    page.button("Close").focus();
    await page.show(null);
    expect(document.activeElement).toBe(button);
    button.remove();
  });

  it("keeps its keys from the notebook around it", async () => {
    await page.show(dialog(vi.fn()));
    expect(await page.press("d", page.button("Close"))).toBeNull();
    expect(page.find("dialog").dataset.lmSuppressShortcuts).toBe("true");
  });
});

describe("a confirmation", () => {
  const ask = (danger: boolean, onConfirm = vi.fn(), onClose = vi.fn()) => (
    <Confirm title={"Delete 3 jobs?"} text="They are gone for good." action="Delete" danger={danger} onConfirm={onConfirm} onClose={onClose} />
  );

  it("does it, then closes; its way back only closes", async () => {
    const calls: string[] = [];
    await page.show(ask(false, vi.fn(() => calls.push("done")), vi.fn(() => calls.push("closed"))));
    await page.click("Back");
    await page.click("Delete");
    expect(calls).toEqual(["closed", "done", "closed"]);
  });

  it("is read out with its text", async () => {
    await page.show(ask(false));
    const id = page.find("dialog").getAttribute("aria-describedby") ?? "";
    expect(page.find(`#${id}`).textContent).toBe("They are gone for good.");
    await expectAccessible(page.root);
  });

  it.each([
    [false, "Delete"],
    [true, "Back"],
  ])("with danger %s has the focus on %s", async (danger, label) => {
    await page.show(ask(danger));
    expect(page.all("[autofocus]").map((element) => element.textContent)).toEqual([label]);
  });
});
