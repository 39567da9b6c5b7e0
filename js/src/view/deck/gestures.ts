/** What a pointer or a wheel means to a picture that can be moved and zoomed. */
export interface Moves {
  /** Pixels to the right and down. */
  pan(dx: number, dy: number): void;
  /** Show `factor` times as much, with what is `x` pixels from the left where it is. */
  zoom(factor: number, x: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  press(x: number, y: number): void;
}

/** Pixels that a hand moves without meaning it. */
const SLACK = 4;

interface Finger {
  x: number;
  y: number;
}

/** Tell an element's moves from its events, to whoever is there to hear them by then. Returns what ends it. */
export function listen(element: HTMLElement, hearer: { readonly current: Moves }): () => void {
  const fingers = new Map<number, Finger>();
  let isDragged = false;
  const at = ({ clientX, clientY }: MouseEvent): Finger => {
    const box = element.getBoundingClientRect();
    return { x: clientX - box.left, y: clientY - box.top };
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    if (fingers.size === 0) isDragged = false;
    fingers.set(event.pointerId, at(event));
  };
  const move = (event: PointerEvent): void => {
    const now = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") hearer.current.hover(now.x, now.y);
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other && !isDragged && Math.hypot(now.x - before.x, now.y - before.y) < SLACK) return;
    if (!isDragged) {
      isDragged = true;
      element.setPointerCapture(event.pointerId);
      hearer.current.leave();
    }
    fingers.set(event.pointerId, now);
    // Fingers scroll by themselves, up and down.
    if (!other) hearer.current.pan(now.x - before.x, event.pointerType === "touch" ? 0 : now.y - before.y);
    else hearer.current.zoom(Math.max(1, Math.abs(before.x - other.x)) / Math.max(1, Math.abs(now.x - other.x)), (now.x + other.x) / 2);
  };
  const up = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
  };
  const click = (event: MouseEvent): void => {
    const { x, y } = at(event);
    if (!isDragged) hearer.current.press(x, y);
    isDragged = false;
  };
  const wheel = (event: WheelEvent): void => {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    // Browsers tell of a pinch on a touchpad as of a wheel with Ctrl.
    const isZoom = event.ctrlKey || event.metaKey;
    if (!isZoom && !isSideways) return;
    event.preventDefault();
    event.stopPropagation();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 16;
    if (isZoom) hearer.current.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * lines * 0.005))), at(event).x);
    else hearer.current.pan(-(event.deltaX || event.deltaY) * lines, 0);
  };
  const leave = (): void => hearer.current.leave();
  const ends = new AbortController();
  const on = <Name extends keyof HTMLElementEventMap>(name: Name, hear: (event: HTMLElementEventMap[Name]) => void): void =>
    element.addEventListener(name, hear, { signal: ends.signal, passive: false });
  on("pointerdown", down);
  on("pointermove", move);
  on("pointerup", up);
  on("pointercancel", up);
  on("pointerleave", leave);
  on("click", click);
  on("wheel", wheel);
  return () => ends.abort();
}
