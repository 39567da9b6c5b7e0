import { render, type VNode } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { effect, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { Host } from "../../host/host";
import { kindWord } from "../../model/kinds";
import { elapsedOf, leftOf, type Standing } from "../../model/groups";
import { statusesOf } from "../../model/query-text";
import type { DeckRow } from "../../model/row";
import { namesOf } from "../../model/spread";
import type { JobTable } from "../../model/table";
import { count, duration, took } from "../../model/time";
import type { BulkName } from "../../model/wire";
import { Chip } from "../chip";
import { Actions } from "../deck/actions";
import { DeckContext, DeckControl, useDeck } from "../deck/control";
import { Confirm } from "../deck/dialog";
import { PaneView } from "../deck/pane";
import { questionFor, type Question } from "../deck/question";
import { BulkReport } from "../deck/report";
import { ROW_HEIGHT, Table } from "../deck/table";
import { translator, type Translation } from "../../model/translation";
import { EnvContext, rootId, ticker, usePlace } from "../env";
import { guardKeys } from "../keys";
import { recall, remember } from "../memory";
import { MixedBar, mishapWords, StandingBadge } from "../standing";
import { Tabs, type Tab } from "../tabs";
import { Tags } from "../tags";
import { groupState } from "./columns";
import { Spread } from "./spread";

const LONGEST_NAME = 300;
/** Lines that are seen at once, and those beside which a job's card has room. */
const MOST_LINES = 10;
const HEAD = 30;
const WITH_PANE = 320;
/** Milliseconds between two plots of a group whose jobs go on. */
const PACE = 500;

export interface GroupProps {
  host: Host;
  /** Kept up to date by whoever owns it; it may know other jobs, too. */
  table: JobTable;
  /** The group's id. */
  group: string;
  /** The table is of this group alone: what it counts are the group's jobs, also those that have not come yet. */
  isWhole?: boolean;
  trans?: Translation;
  /** A quiet line below, such as where this state comes from. */
  note?: ReadonlySignal<string | null>;
}

/** Show one group and its jobs in an element. Returns what takes it out again. */
export function mountGroup(element: Element, props: GroupProps): () => void {
  const unguard = guardKeys();
  render(<Root {...props} />, element);
  return () => {
    render(null, element);
    unguard();
  };
}

function Root({ host, table, group, isWhole = false, trans, note }: GroupProps): VNode {
  const place = useMemo(() => ({ trans: trans ?? translator(), idPrefix: rootId(), tick: ticker() }), [trans]);
  // Jobs for which newer ones stand are not shown beside those.
  const repeated = useRef<ReadonlySet<string | null>>(new Set());
  const matches = useCallback((row: DeckRow) => row.group === group && !repeated.current.has(row.id), [group]);
  const control = useMemo(() => {
    const known = table.rows.peek().filter((row) => row.group === group);
    return new DeckControl(host, table, groupState(known), () => undefined, { dependsOnTime: false, matches }, isWhole ? group : null);
  }, [host, table, group, isWhole, matches]);
  useSignalEffect(() => {
    void control.groups.memberships.value;
    const again = control.groups.repeatedOf(group);
    if (again.size === repeated.current.size) return;
    repeated.current = again;
    control.refilter();
  });
  useEffect(() => () => control.dispose(), [control]);
  return (
    <EnvContext.Provider value={place}>
      <DeckContext.Provider value={control}>
        <GroupView id={group} note={note} />
      </DeckContext.Provider>
    </EnvContext.Provider>
  );
}

function GroupView({ id, note }: { id: string; note: ReadonlySignal<string | null> | undefined }): VNode {
  const { trans, tick } = usePlace();
  const control = useDeck();
  const standing = control.groups.standing(id);
  const [chosen, choose] = useState(() => recall(id).tab ?? "jobs");
  const hasPlot = useHasPlot(id, standing);
  useSignalEffect(() => {
    void tick.value;
    control.arrangement.tick();
  });
  const trouble = control.table.trouble.value;
  const tabs: Tab[] = [
    { name: "jobs", label: trans.__("Jobs"), note: count(standing.total) },
    ...(hasPlot ? [{ name: "plot", label: trans.__("Plot") }] : []),
  ];
  const tab = tabs.some(({ name }) => name === chosen) ? chosen : "jobs";
  return (
    <div class="jobdeck-root jobdeck-group" data-group={id}>
      <article class="jobdeck-card jobdeck-is-open jobdeck-stays" aria-label={standing.group.name.slice(0, LONGEST_NAME)}>
        <Head standing={standing} />
        <MixedBar standing={standing} isTall />
        <BulkReport />
        <Tabs
          tabs={tabs}
          chosen={tab}
          onChoose={(name) => {
            choose(name);
            remember(id, { tab: name });
          }}
          label={trans.__("Parts of the group")}
        >
          {tab === "jobs" ? <Jobs standing={standing} /> : <Plot id={id} name={standing.group.name} />}
        </Tabs>
      </article>
      {trouble ? (
        <p class="jobdeck-note jobdeck-trouble" role="status">
          <bdi>{trans.gettext(trouble).slice(0, 1_000)}</bdi>
        </p>
      ) : null}
      {note?.value ? <p class="jobdeck-note">{note.value}</p> : null}
    </div>
  );
}

/** Whether the jobs have numbers against each other; asked again when one has ended or come. */
function useHasPlot(id: string, { final, jobs }: Standing): boolean {
  const { groups } = useDeck();
  return useMemo(() => {
    const { inputs, results } = namesOf(groups.rowsOf(id));
    return inputs.length + results.length > 1;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- they stand for the rows, which a group does not keep
  }, [groups, id, final, jobs]);
}

function Head({ standing }: { standing: Standing }): VNode {
  const { trans } = usePlace();
  const { group } = standing;
  const name = group.name.slice(0, LONGEST_NAME);
  return (
    <div class="jobdeck-head">
      <StandingBadge standing={standing} />
      <strong class="jobdeck-name" title={name}>
        <bdi>{name}</bdi>
      </strong>
      <span class="jobdeck-tags">
        {group.kind ? <span class="jobdeck-quiet">{trans.gettext(kindWord(group.kind))}</span> : null}
        <Tags tags={group.tags} of="row" />
      </span>
      <Summary standing={standing} />
      <GroupActions standing={standing} />
    </div>
  );
}

/** `298 / 300 · 2 failed · 0:12 elapsed · 0:09 left`. */
function Summary({ standing }: { standing: Standing }): VNode {
  const { trans, tick } = usePlace();
  const { table } = useDeck();
  if (standing.ended === null) void tick.value;
  const now = table.now();
  const ran = elapsedOf(standing, now);
  const left = leftOf(standing, now);
  const { final, total, ended } = standing;
  const time = ran === null ? null : ended === null ? duration(ran) : took(ran);
  const parts = [
    ended === null ? `${count(final)} / ${count(total)}` : null,
    ...mishapWords(standing, trans),
    time === null ? null : ended === null ? trans.__("{time} elapsed", { time }) : trans.__("took {time}", { time }),
    left === null ? null : trans.__("{time} left", { time: duration(left) }),
  ];
  return <span class="jobdeck-quiet jobdeck-number jobdeck-summary">{parts.filter(Boolean).join(" · ")}</span>;
}

interface Asked {
  command: BulkName;
  ids: string[];
  question: Question;
}

/** Cancel all, and run what failed again. */
function GroupActions({ standing }: { standing: Standing }): VNode | null {
  const { trans } = usePlace();
  const control = useDeck();
  const [asked, ask] = useState<Asked | null>(null);
  if (!control.host.capabilities.commands) return null;
  const isBusy = control.isBusy.value;
  const order = (command: BulkName, ids: string[]): void => {
    const question = questionFor(command, ids.length, false, trans);
    if (question) ask({ command, ids, question });
    else if (ids.length > 0) void control.bulk({ command, ids });
  };
  const button = (command: BulkName, label: string, ids: () => string[]): VNode => (
    <button
      type="button"
      class="jobdeck-button"
      data-command={command}
      disabled={isBusy}
      onClick={(event) => {
        // The second half of a double click is no wish of its own.
        if (event.detail <= 1) order(command, ids());
      }}
    >
      {label}
    </button>
  );
  const { id } = standing.group;
  return (
    <span class="jobdeck-actions">
      {standing.underWay > 0 ? button("cancel", trans.__("Cancel all"), () => control.groups.openOf(id)) : null}
      {standing.repeatable > 0
        ? button("retry", trans.__("Retry {n} failed", { n: count(standing.repeatable) }), () => control.groups.failedOf(id))
        : null}
      {asked ? (
        <Confirm
          {...asked.question}
          onConfirm={() => void control.bulk({ command: asked.command, ids: asked.ids })}
          onClose={() => ask(null)}
        />
      ) : null}
    </span>
  );
}

/** The jobs as a table; the card of one opens beside it. */
function Jobs({ standing }: { standing: Standing }): VNode {
  const { trans } = usePlace();
  const control = useDeck();
  const pane = control.pane.value;
  const lines = control.folded.value.lines.length;
  const chosen = statusesOf(control.query.value);
  const least = Math.min(MOST_LINES, Math.max(2, lines)) * ROW_HEIGHT + HEAD;
  return (
    <>
      <div class="jobdeck-group-tools">
        <div class="jobdeck-chips" role="group" aria-label={trans.__("Show by status")}>
          <Chip label={trans.__("All")} count={standing.jobs} isOn={chosen.length === 0} onClick={() => control.filterStatus(null, false)} />
          {standing.tallies.map(({ status, word, count: n }) => (
            <Chip key={status} label={trans.gettext(word)} count={n} isOn={chosen.includes(status)} onClick={(adds) => control.filterStatus(status, adds)} />
          ))}
        </div>
        <span class="jobdeck-tools">
          <Actions />
        </span>
      </div>
      <div class={`jobdeck-sheet${pane ? " jobdeck-has-pane" : ""}`} style={{ height: `${pane ? Math.max(WITH_PANE, least) : least}px` }}>
        <Table />
        {pane ? <PaneView pane={pane} /> : null}
      </div>
    </>
  );
}

function Plot({ id, name }: { id: string; name: string }): VNode {
  const control = useDeck();
  const rows = usePacedRows(id);
  const pane = control.pane.value;
  return (
    <>
      <Spread rows={rows} name={name} onOpen={(job) => control.open(job)} />
      {pane ? <PaneView pane={pane} /> : null}
    </>
  );
}

/** The group's jobs, now and then: a plot of thousands is not drawn at every message. */
function usePacedRows(id: string): readonly DeckRow[] {
  const { groups, table } = useDeck();
  const [rows, setRows] = useState<readonly DeckRow[]>(() => groups.rowsOf(id));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      void table.rows.value;
      timer ??= setTimeout(() => {
        timer = undefined;
        setRows(groups.rowsOf(id));
      }, PACE);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [groups, table, id]);
  return rows;
}
