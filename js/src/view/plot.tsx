import type { VNode } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import { drawnAtFirst, type Table } from "../model/series";
import { Chart, Key, strokeOf, usePaced } from "./chart";
import { useEnv } from "./env";
import { SeenContext, useChanges } from "./seen";

/** The table of a job's numbers. */
function useTable(job: JobState): Table {
  const { session } = useEnv();
  const isSeen = useContext(SeenContext);
  const paced = usePaced(useChanges(job.messageChanges));
  useEffect(() => {
    if (isSeen) void session.loadHistory(job.id);
  }, [isSeen, session, job]);
  // `paced` stands for the series, which is changed in place.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  return useMemo(() => job.series.table(), [job, paced]);
}

/** The numbers in a job's interim results, as they come. */
export function Plot({ job }: { job: JobState }): VNode | null {
  const { trans } = useEnv();
  const table = useTable(job);
  const [wishes, setWishes] = useState<Readonly<Record<string, boolean>>>({});
  const isOn = drawnAtFirst(table).map((on, i) => wishes[table.names[i] ?? ""] ?? on);
  if (table.names.length === 0) return null;
  return (
    <figure class="jobdeck-plot" aria-label={trans.__("Plot of {names}", { names: table.names.join(", ").slice(0, 200) })}>
      <div class="jobdeck-legend">
        {table.names.map((name, i) => (
          <button
            key={name}
            type="button"
            class="jobdeck-series"
            aria-pressed={isOn[i] ?? true}
            title={name.slice(0, 200)}
            onClick={() => setWishes({ ...wishes, [name]: !isOn[i] })}
          >
            {table.names.length > 1 ? <Key stroke={strokeOf(i)} /> : null}
            <bdi>{name}</bdi>
          </button>
        ))}
      </div>
      <Chart data={table} isOn={isOn} />
      <figcaption class="jobdeck-x-name">
        <bdi>{table.xName ?? trans.__("message")}</bdi>
      </figcaption>
    </figure>
  );
}
