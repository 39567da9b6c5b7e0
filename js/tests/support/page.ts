/** Shows a view in the page, with what views need of the world around them. */
import axe from "axe-core";
import { signal } from "@preact/signals";
import { createElement, render, type VNode } from "preact";
import { act } from "preact/test-utils";
import { expect } from "vitest";
import { translator } from "../../src/model/translation";
import { EnvContext, type Place } from "../../src/view/env";

export class Page {
  readonly root = document.createElement("div");
  readonly seconds = signal(0);
  private readonly place: Place = { trans: translator(), idPrefix: "page-", tick: this.seconds };

  constructor() {
    this.root.className = "jobdeck-root";
    document.body.append(this.root);
  }

  show(view: VNode | null): Promise<void> {
    return act(() => render(createElement(EnvContext.Provider, { value: this.place }, view), this.root));
  }

  all(selector: string): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(selector)];
  }

  find(selector: string): HTMLElement {
    const element = this.root.querySelector<HTMLElement>(selector);
    if (!element) throw new Error(`${selector} is not there: ${this.root.textContent}`);
    return element;
  }

  /** The button that says this. */
  button(label: string): HTMLButtonElement {
    const found = this.all("button").find((button) => (button.getAttribute("aria-label") ?? button.textContent) === label);
    if (!found) throw new Error(`no button says ${label}: ${this.root.textContent}`);
    return found as HTMLButtonElement;
  }

  click(label: string): Promise<void> {
    return act(() => this.button(label).click());
  }

  /** Press a key where the focus is, or on an element. Returns the event as the page around hears it, or null. */
  async press(key: string, target: Element | null = document.activeElement, more: KeyboardEventInit = {}): Promise<Event | null> {
    const heard: Event[] = [];
    const listen = (event: Event): void => void heard.push(event);
    document.body.addEventListener("keydown", listen);
    await act(() => {
      target?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    });
    document.body.removeEventListener("keydown", listen);
    return heard[0] ?? null;
  }

  type(element: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement, text: string): Promise<void> {
    return act(() => {
      element.value = text;
      element.dispatchEvent(new Event("input", { bubbles: true }));
      element.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  async close(): Promise<void> {
    await this.show(null);
    this.root.remove();
  }
}

/** What people with a screen reader or a keyboard would stumble on. Colours need a real browser. */
export async function expectAccessible(root: Element): Promise<void> {
  const { violations } = await axe.run(root, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}
