import { useEffect, useRef } from "preact/hooks";
import type { Arrangement } from "../../model/arrangement";

/** How long the rows stay in their places after the pointer has come to rest. */
const REST = 1_500;

interface Handlers {
  onPointerMove: (event: PointerEvent) => void;
  onPointerDown: () => void;
  onPointerLeave: () => void;
}

/** A row does not slip away from under a pointer that is about to click: the order waits until it rests or leaves. */
export function useHold(arrangement: Arrangement): Handlers {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const release = (): void => {
    clearTimeout(timer.current);
    arrangement.release();
  };
  const hold = (): void => {
    clearTimeout(timer.current);
    arrangement.hold();
    timer.current = setTimeout(release, REST);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    onPointerMove: (event) => {
      if (event.pointerType !== "touch") hold();
    },
    onPointerDown: hold,
    onPointerLeave: release,
  };
}
