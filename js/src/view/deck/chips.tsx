import type { VNode } from "preact";
import { ranked, statusWord } from "../../model/status";
import { statusesOf } from "../../model/query-text";
import { count } from "../../model/time";
import { usePlace } from "../env";
import { useDeck } from "./control";

interface ChipProps {
  label: string;
  count: number;
  isOn: boolean;
  onClick: (adds: boolean) => void;
}

function Chip({ label, count: n, isOn, onClick }: ChipProps): VNode {
  return (
    <button
      type="button"
      class="jobdeck-chip"
      aria-pressed={isOn}
      onClick={(event) => onClick(event.ctrlKey || event.metaKey || event.shiftKey)}
    >
      <bdi>{label}</bdi> <b class="jobdeck-number">{count(n)}</b>
    </button>
  );
}

/** How many jobs of the store have each status; a click shows those alone, with Ctrl or Shift those, too. */
export function Chips(): VNode {
  const { t } = usePlace();
  const control = useDeck();
  const { table } = control;
  const chosen = statusesOf(control.query.value);
  const counts = table.counts.value;
  const tallies = ranked(counts);
  const missing = chosen.filter((status) => !tallies.some((tally) => tally.status === status));
  return (
    <div class="jobdeck-chips" role="group" aria-label={t("Show by status")}>
      <Chip label={t("All")} count={table.total.value} isOn={chosen.length === 0} onClick={() => control.filterStatus(null, false)} />
      {tallies.map(({ status, word, count: n }) => (
        <Chip
          key={status}
          label={t(word).slice(0, 60)}
          count={n}
          isOn={chosen.includes(status)}
          onClick={(adds) => control.filterStatus(status, adds)}
        />
      ))}
      {missing.map((status) => (
        <Chip
          key={status}
          label={t(statusWord(status)).slice(0, 60)}
          count={0}
          isOn
          onClick={(adds) => control.filterStatus(status, adds)}
        />
      ))}
    </div>
  );
}
