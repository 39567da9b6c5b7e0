import type { VNode } from "preact";
import { count as words } from "../model/time";

const LONGEST = 60;

interface Props {
  label: string;
  count: number;
  isOn: boolean;
  /** `adds` where Ctrl, Shift or ⌘ was held. */
  onClick: (adds: boolean) => void;
}

/** How many there are of something; pressed, those are shown alone. */
export function Chip({ label, count, isOn, onClick }: Props): VNode {
  return (
    <button
      type="button"
      class="jobdeck-chip"
      aria-pressed={isOn}
      onClick={(event) => onClick(event.ctrlKey || event.metaKey || event.shiftKey)}
    >
      <bdi>{label.slice(0, LONGEST)}</bdi> <b class="jobdeck-number">{words(count)}</b>
    </button>
  );
}
