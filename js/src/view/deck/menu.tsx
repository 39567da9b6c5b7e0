import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useElementId } from "../env";

interface PopupProps {
  label: string;
  title?: string;
  disabled?: boolean;
  /** `menu` takes the focus from item to item; anything else is the content's own. */
  role: "menu" | "group";
  children: (close: () => void) => ComponentChildren;
}

/** A button and what it opens; Escape or a press elsewhere closes it. */
export function Popup({ label, title, disabled = false, role, children }: PopupProps): VNode {
  const id = useElementId();
  const root = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (!isOpen) return undefined;
    focusables(root.current)[0]?.focus();
    const outside = (event: Event): void => {
      // The path, not the target: inside a shadow root the target is the host.
      if (root.current && !event.composedPath().includes(root.current)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return;
    event.stopPropagation();
    const all = focusables(root.current);
    const at = all.findIndex((element) => element === event.target);
    const go: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 };
    const to = go[event.key];
    if (event.key === "Escape") close();
    else if (event.key === "Tab" && role === "menu") {
      setOpen(false);
      return;
    } else if (to !== undefined) all[to % all.length]?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <span
      class="jobdeck-menu"
      ref={root}
      onKeyDown={onKeyDown}
      onFocusOut={(event) => {
        if (event.relatedTarget instanceof Node && !root.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        class="jobdeck-button"
        disabled={disabled}
        title={title}
        aria-haspopup={role === "menu" ? "menu" : "true"}
        aria-expanded={isOpen}
        {...(isOpen ? { "aria-controls": id } : {})}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </button>
      {isOpen ? (
        <span class="jobdeck-menu-items" role={role} id={id} aria-label={title ?? label}>
          {children(close)}
        </span>
      ) : null}
    </span>
  );
}

function focusables(root: HTMLElement | null): HTMLElement[] {
  return [...(root?.querySelectorAll<HTMLElement>(".jobdeck-menu-items :is(button:not(:disabled), input)") ?? [])];
}

/** One line of a menu. */
export function MenuItem({ label, disabled = false, onClick }: { label: string; disabled?: boolean; onClick: () => void }): VNode {
  return (
    <button type="button" role="menuitem" tabIndex={-1} disabled={disabled} onClick={onClick}>
      {label}
    </button>
  );
}
