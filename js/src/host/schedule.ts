/** Calls `act` once, soon; the function that it returns calls it off. */
export type Schedule = (act: () => void) => () => void;

/** Once a frame while the page is painted; a hidden page paints no frames, so that a timer stands in for them. */
export const onNextPaint: Schedule = (act) => {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined = undefined;
  const stop = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const run = (): void => {
    stop();
    act();
  };
  frame = requestAnimationFrame(run);
  timer = setTimeout(run, 1_000);
  return stop;
};
