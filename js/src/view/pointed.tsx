import type { ComponentChildren, RefObject, VNode } from "preact";
import { useState } from "preact/hooks";
import { useElementId } from "./env";

interface Props {
  root: RefObject<HTMLDivElement | null>;
  /** What a screen reader says that this is, and how it is used. */
  label: string;
  hint: string;
  /** How many marks there are. */
  size: number;
  /** The mark that is pointed at. */
  at: number | null;
  onPoint: (at: number | null) => void;
  /** The mark where the pointer is. */
  find: (event: MouseEvent) => number | null;
  /** Marks can be opened, by Enter or by a click. */
  onOpen?: (at: number) => void;
  /** The mark in words; what is said where there is none. */
  words: string;
  idle: string;
  /** What stands for the mark in the page. */
  mark: string | number | undefined;
  /** What is between the drawing and its words. */
  below?: ComponentChildren;
  children: ComponentChildren;
}

/** A drawing of marks: the pointer and the arrow keys go from one to the next, and a line says which it is. */
export function Pointed({ root, label, hint, size, at, onPoint, find, onOpen, words, idle, mark, below, children }: Props): VNode {
  const id = useElementId();
  const [isByKey, setByKey] = useState(false);
  const go = (to: number): void => {
    if (size === 0) return;
    setByKey(true);
    onPoint(Math.min(size - 1, Math.max(0, to)));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? size) - 1, Home: 0, End: size - 1 };
    const to = steps[event.key];
    if (to !== undefined) go(to);
    else if (event.key === "Enter" && onOpen && at !== null) onOpen(at);
    else if (event.key === "Escape" && at !== null) onPoint(null);
    else return;
    event.preventDefault();
    // A notebook has its own meaning for these keys.
    event.stopPropagation();
  };
  const point = (event: PointerEvent): void => {
    setByKey(false);
    onPoint(find(event));
  };
  const open = (event: MouseEvent): void => {
    const found = find(event);
    if (found !== null) onOpen?.(found);
  };
  return (
    <>
      <div
        ref={root}
        tabIndex={0}
        role="application"
        aria-label={label}
        aria-describedby={id}
        onKeyDown={onKeyDown}
        onBlur={() => onPoint(null)}
        onPointerMove={point}
        // A finger does not move before it is down.
        onPointerDown={point}
        onPointerLeave={() => onPoint(null)}
        onClick={open}
      >
        {children}
      </div>
      {below}
      <p class="jobdeck-reading jobdeck-number" data-at={mark}>
        <bdi>{words || idle}</bdi>
      </p>
      <p class="jobdeck-aside" id={id}>
        {hint}
      </p>
      <p class="jobdeck-aside" aria-live="polite">
        {isByKey ? words : ""}
      </p>
    </>
  );
}
