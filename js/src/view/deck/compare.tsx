import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Host } from "../../host/host";
import { Session } from "../../host/session";
import { choicesOf, join, lastOf, pointsOf } from "../../model/compare";
import { Deck, type JobState } from "../../model/deck";
import type { Line } from "../../model/series";
import { face } from "../../model/status";
import { count } from "../../model/time";
import { Chart, Key, strokeOf, usePaced } from "../chart";
import { useElementId, usePlace } from "../env";
import { useSeen } from "../seen";

/** Jobs in one chart, at most: more lines are not told apart. */
const MOST_JOBS = 30;

interface Props {
  ids: readonly string[];
  host: Pick<Host, "cards">;
  nameOf: (id: string) => string;
}

/** A session about some jobs, for as long as the view is there. */
function useSession(host: Pick<Host, "cards">, ids: readonly string[]): Session | null {
  const [session, setSession] = useState<Session | null>(null);
  const key = JSON.stringify(ids);
  useEffect(() => {
    const wanted = JSON.parse(key) as string[];
    if (wanted.length === 0) return undefined;
    const made = new Session(new Deck(), host.cards(wanted));
    setSession(made);
    return () => {
      setSession(null);
      made.dispose();
    };
  }, [host, key]);
  return session;
}

/** The jobs that have come so far, with the numbers of all their messages; and a count that changes with them. */
function useJobs(session: Session | null, isSeen: boolean): { jobs: ReadonlyMap<string, JobState>; changes: number } {
  const present = session?.deck.ids.value;
  const gone = session?.deck.gone.value;
  const jobs = useMemo(() => {
    const found = [...(present ?? []), ...(gone ?? [])].map((id) => session?.deck.job(id)).filter((job) => job !== undefined);
    return new Map(found.map((job) => [job.id, job]));
  }, [session, present, gone]);
  useEffect(() => {
    let isWanted = true;
    const load = async (): Promise<void> => {
      // One after the other: the jobs share a connection with all that is on the page.
      for (const id of jobs.keys()) if (isWanted) await session?.loadHistory(id);
    };
    void load();
    return () => {
      isWanted = false;
    };
  }, [session, jobs]);
  let changes = 0;
  for (const { messageChanges } of jobs.values()) changes += isSeen ? messageChanges.value : messageChanges.peek();
  return { jobs, changes };
}

/** The interim results of several jobs in one chart, live while they run. */
export function Compare({ ids, host, nameOf }: Props): VNode {
  const { trans } = usePlace();
  const root = useRef<HTMLElement>(null);
  const isSeen = useSeen(root);
  const shown = useMemo(() => [...new Set(ids)].slice(0, MOST_JOBS), [ids]);
  const session = useSession(host, shown);
  const { jobs, changes } = useJobs(session, isSeen);
  const paced = usePaced(changes);
  const [wish, setWish] = useState<{ x?: string; y?: string }>({});
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [point, setPoint] = useState<number | null>(null);
  // `paced` stands for the series, which are changed in place.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  const choices = useMemo(() => choicesOf([...jobs.values()].map((job) => job.series)), [jobs, paced]);
  const x = choices.x.find((name) => (name ?? "") === wish.x) ?? (wish.x === "" ? null : (choices.x[0] ?? null));
  const y = choices.y.find((name) => name === wish.y) ?? choices.y[0];
  const lines = useMemo(
    () => shown.map((id): Line => (y === undefined ? undefined : jobs.get(id)?.series.line(x, y, pointsOf(shown.length))) ?? { x: [], y: [] }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
    [shown, jobs, paced, x, y],
  );
  const data = useMemo(() => join(lines), [lines]);
  const toggle = (id: string): void => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    setHidden(next);
  };
  const trouble = session?.deck.trouble.value;
  const xName = x ?? trans.__("message");
  const label = trans.__("{y} over {x} of {n} jobs", { y: (y ?? "").slice(0, 100), x: xName.slice(0, 100), n: shown.length });
  const at = point === null ? undefined : data.x[point];
  return (
    <section class="jobdeck-compare" aria-label={trans.__("Comparison")} ref={root}>
      {ids.length > MOST_JOBS ? (
        <p class="jobdeck-note">{trans.__("The first {n} of {all} jobs are compared.", { n: MOST_JOBS, all: count(ids.length) })}</p>
      ) : null}
      {trouble ? (
        <p class="jobdeck-note jobdeck-trouble" role="status">
          <bdi>{trans.gettext(trouble).slice(0, 1_000)}</bdi>
        </p>
      ) : null}
      {y === undefined ? (
        <p class="jobdeck-empty">
          {jobs.size === 0 && shown.length > 0 ? trans.__("Loading…") : trans.__("These jobs have published no numbers of the same name yet.")}
        </p>
      ) : (
        <>
          <div class="jobdeck-compare-axes" data-lm-suppress-shortcuts="true">
            <Choice label={trans.__("Compare")} chosen={y} names={choices.y} onChoose={(name) => setWish({ ...wish, y: name })} />
            <Choice label={trans.__("over")} chosen={x} names={choices.x} onChoose={(name) => setWish({ ...wish, x: name })} />
          </div>
          <div class="jobdeck-compare-sides">
            <figure class="jobdeck-plot" aria-label={label}>
              <Chart data={data} isOn={shown.map((id) => !hidden.has(id))} onPoint={setPoint} />
              <figcaption class="jobdeck-x-name">
                <bdi>{xName}</bdi>
              </figcaption>
            </figure>
            <div class="jobdeck-compare-scroll" tabIndex={0} role="region" aria-label={trans.__("Values by job")}>
              <table class="jobdeck-figures">
                <caption>{at === undefined ? trans.__("Last values") : trans.__("At {x} {value}", { x: xName.slice(0, 100), value: short(at) })}</caption>
                <thead>
                  <tr>
                    <th scope="col">{trans.__("Job")}</th>
                    <th scope="col">{trans.__("Status")}</th>
                    <th scope="col" class="jobdeck-number">
                      <bdi>{xName}</bdi>
                    </th>
                    <th scope="col" class="jobdeck-number">
                      <bdi>{y}</bdi>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((id, i) => (
                    <Row
                      key={id}
                      name={nameOf(id)}
                      index={i}
                      job={jobs.get(id)}
                      isOn={!hidden.has(id)}
                      value={at === undefined ? lastOf(lines[i] ?? { x: [], y: [] }) : { x: at, y: data.columns[i]?.[point ?? 0] ?? null }}
                      onToggle={() => toggle(id)}
                    />
                  ))}
                </tbody>
              </table>
            </div>
          </div>
        </>
      )}
    </section>
  );
}

/** A number in as many digits as people compare. */
function short(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? count(value) : String(Number(value.toPrecision(6)));
}

interface RowProps {
  name: string;
  index: number;
  job: JobState | undefined;
  isOn: boolean;
  value: { x: number; y: number | null } | null;
  onToggle: () => void;
}

function Row({ name, index, job, isOn, value, onToggle }: RowProps): VNode {
  const { trans } = usePlace();
  const info = job?.info.value;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="jobdeck-series" aria-pressed={isOn} title={name.slice(0, 300)} onClick={onToggle}>
          <Key stroke={strokeOf(index)} />
          <bdi>{name.slice(0, 300)}</bdi>
        </button>
      </th>
      <td>{job?.isGone.value ? trans.__("no longer in its store") : info ? <bdi>{trans.gettext(face(info).word)}</bdi> : "…"}</td>
      <td class="jobdeck-number">{value === null ? "–" : short(value.x)}</td>
      <td class="jobdeck-number">{value === null || value.y === null ? "–" : short(value.y)}</td>
    </tr>
  );
}

interface ChoiceProps {
  label: string;
  chosen: string | null;
  /** Null is the message's number. */
  names: readonly (string | null)[];
  onChoose: (name: string) => void;
}

function Choice({ label, chosen, names, onChoose }: ChoiceProps): VNode {
  const { trans } = usePlace();
  const id = useElementId();
  return (
    <>
      <label for={id}>{label}</label>
      <select
        id={id}
        class="jobdeck-select"
        value={chosen ?? ""}
        onChange={(event) => onChoose(event.currentTarget.value)}
        // A notebook has its own meaning for letters and arrows.
        onKeyDown={(event) => event.stopPropagation()}
      >
        {names.map((name) => (
          <option key={name} value={name ?? ""}>
            {name === null ? trans.__("number of the message") : name.slice(0, 100)}
          </option>
        ))}
      </select>
    </>
  );
}
