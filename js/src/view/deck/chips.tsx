import type { VNode } from "preact";
import { ranked, statusWord } from "../../model/status";
import { statusesOf } from "../../model/query-text";
import { Chip } from "../chip";
import { usePlace } from "../env";
import { useDeck } from "./control";

/** How many jobs of the store have each status; a click shows those alone, with Ctrl or Shift those, too. */
export function Chips(): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const { table } = control;
  const chosen = statusesOf(control.query.value);
  const counts = table.counts.value;
  const tallies = ranked(counts);
  // What cannot be read asks for no status.
  const missing = control.fault.value ? [] : chosen.filter((status) => !tallies.some((tally) => tally.status === status));
  return (
    <div class="jobdeck-chips" role="group" aria-label={trans.__("Show by status")}>
      <Chip label={trans.__("All")} count={table.total.value} isOn={chosen.length === 0} onClick={() => control.filterStatus(null, false)} />
      {tallies.map(({ status, word, count: n }) => (
        <Chip
          key={status}
          label={trans.gettext(word)}
          count={n}
          isOn={chosen.includes(status)}
          onClick={(adds) => control.filterStatus(status, adds)}
        />
      ))}
      {missing.map((status) => (
        <Chip
          key={status}
          label={trans.gettext(statusWord(status))}
          count={0}
          isOn
          onClick={(adds) => control.filterStatus(status, adds)}
        />
      ))}
    </div>
  );
}
