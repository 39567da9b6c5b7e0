import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualItem } from "@tanstack/virtual-core";
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

export interface VirtualRows {
  ref: RefObject<HTMLDivElement | null>;
  items: VirtualItem[];
  total: number;
  /** For rows whose height is not known beforehand: give it each row's element. */
  measure: (element: HTMLElement | null) => void;
  scrollTo: (index: number) => void;
}

type Rows = Virtualizer<HTMLDivElement, HTMLElement>;

/** The rows of a scrolling element that can be seen, of `count` in all; `head` is the height of what stays above them. */
export function useVirtualRows(count: number, height: number, keyOf?: (index: number) => string, head = 0): VirtualRows {
  const ref = useRef<HTMLDivElement>(null);
  const [, repaint] = useReducer<number, null>((n) => n + 1, 0);
  const options = {
    count,
    getScrollElement: () => ref.current,
    estimateSize: () => height,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    overscan: 6,
    scrollMargin: head,
    scrollPaddingStart: head,
    onChange: () => repaint(null),
    ...(keyOf && { getItemKey: keyOf }),
  };
  const [rows] = useState<Rows>(() => new Virtualizer(options));
  rows.setOptions(options);
  useLayoutEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  return {
    ref,
    items: rows.getVirtualItems(),
    total: rows.getTotalSize(),
    measure: rows.measureElement,
    scrollTo: (index) => rows.scrollToIndex(index, { align: "auto" }),
  };
}

/**
 * Keep a scrolling element at its end while it grows, until somebody scrolls up.
 *
 * @returns whether it follows, and a function that makes it follow again.
 */
export function useFollow(ref: RefObject<HTMLDivElement | null>, size: number): [boolean, () => void] {
  const [follows, setFollows] = useState(true);
  const last = useRef(0);
  // The element is there once there is something to scroll.
  const isEmpty = size === 0;
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const scrolled = (): void => {
      const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 12;
      // Growth alone also leaves the end behind: only a move upwards is a person's wish.
      if (isAtEnd) setFollows(true);
      else if (element.scrollTop < last.current) setFollows(false);
      last.current = element.scrollTop;
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => element.removeEventListener("scroll", scrolled);
  }, [ref, isEmpty]);
  const toEnd = useCallback((): void => {
    const element = ref.current;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    last.current = element.scrollTop;
  }, [ref]);
  useLayoutEffect(() => {
    if (follows) toEnd();
  }, [follows, size, toEnd]);
  useEffect(() => {
    const element = ref.current;
    if (!follows || !element) return undefined;
    // A card is rendered before it is laid out, when there is no end to go to yet; and people drag its height.
    const sizes = new ResizeObserver(toEnd);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [ref, follows, isEmpty, toEnd]);
  return [follows, () => setFollows(true)];
}
