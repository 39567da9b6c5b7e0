import { useSignal, type ReadonlySignal } from "@preact/signals";
import { render, type VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { currentItems, type CurrentItem, type CurrentItems } from "../model/current";
import { elapsedOf, GroupIndex, statusOf, type Standing } from "../model/groups";
import { parseQuery, QueryError, type Query } from "../model/query";
import { deedFor } from "../model/status";
import type { DeckRow, JobTable } from "../model/table";
import { count, duration, elapsed, took } from "../model/time";
import type { BulkOrder, CommandName } from "../model/wire";
import { Confirm } from "./deck/dialog";
import { questionFor, type Question } from "./deck/question";
import { translator, type Translation } from "../model/translation";
import { EnvContext, rootId, ticker, useElementId, usePlace } from "./env";
import { guardKeys } from "./keys";
import { Badge, ProgressBar } from "./parts";
import { MixedBar, mishapWords, StandingBadge, standingWords } from "./standing";

/** Rows of a part that are on the page; the deck has them all. */
const MOST = 100;
const LONGEST_NAME = 300;

interface Props {
  table: JobTable;
  /** Why there are no jobs to show; null where there are. */
  note: ReadonlySignal<string | null>;
  /** How many of the ended jobs are shown. */
  recent: ReadonlySignal<number>;
  onOpen: (row: DeckRow) => void;
  onDeck: (query: string) => void;
  /** Shows a group's jobs. */
  onGroup: (group: string) => void;
  /** Asks for something to be done; the answer says why not, or is null. */
  onCommand: (id: string, command: CommandName) => Promise<string | null>;
  /** The same for many jobs. */
  onBulk: (order: BulkOrder) => Promise<string | null>;
}

const EVERYTHING = parseQuery("");

/** The query of a text, and what is wrong with it: then it finds everything. */
function read(text: string): [Query, QueryError | null] {
  try {
    return [parseQuery(text), null];
  } catch (error) {
    if (error instanceof QueryError) return [EVERYTHING, error];
    throw error;
  }
}

/** The jobs that run, wait, and have ended last. */
function JobPanel(props: Props): VNode {
  const { table, note, recent, onDeck } = props;
  const { trans } = usePlace();
  const text = useSignal("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [asked, ask] = useState<{ order: BulkOrder; question: Question } | null>(null);
  const rows = table.rows.value;
  const sought = text.value;
  const most = recent.value;
  const [query, fault] = useMemo(() => read(sought), [sought]);
  const groups = useMemo(() => new GroupIndex(table), [table]);
  useEffect(() => () => groups.dispose(), [groups]);
  void table.groups.value;
  const jobs = currentItems(rows, most, (row) => query.matches(row, table.now()), (id) => groups.standing(id));
  const trouble = note.value ?? table.trouble.value;
  const faultId = useElementId();
  const command = (id: string, name: CommandName): void => {
    setRefusal(null);
    void props.onCommand(id, name).then(setRefusal);
  };
  const bulk = (order: BulkOrder): void => {
    setRefusal(null);
    void props.onBulk(order).then(setRefusal);
  };
  const cancelGroup = (group: string): void => {
    const ids = groups.openOf(group);
    const order: BulkOrder = { command: "cancel", ids };
    const question = questionFor("cancel", ids.length, false, trans);
    if (question) ask({ order, question });
    else bulk(order);
  };
  return (
    <div class="jobdeck-root jobdeck-panel">
      <div class="jobdeck-panel-head">
        <h2 class="jobdeck-panel-title">
          {trans.__("Jobs")} <span class="jobdeck-quiet">{trans.__("all kernels")}</span>
        </h2>
        <button type="button" class="jobdeck-button" onClick={() => onDeck("")}>
          {trans.__("Open the deck")}
        </button>
      </div>
      <input
        type="search"
        class="jobdeck-panel-filter"
        aria-label={trans.__("Filter the jobs")}
        placeholder={trans.__("Filter")}
        value={sought}
        aria-invalid={fault !== null}
        {...(fault === null ? {} : { "aria-describedby": faultId })}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      {fault === null ? null : (
        <p class="jobdeck-note jobdeck-trouble" id={faultId}>
          <bdi>{fault.said(trans)}</bdi>
        </p>
      )}
      {trouble ? (
        <p class="jobdeck-note jobdeck-trouble" role="status">
          <bdi>{trans.gettext(trouble).slice(0, 1_000)}</bdi>
        </p>
      ) : null}
      {refusal ? (
        <p class="jobdeck-refusal" role="alert">
          <bdi>{trans.gettext(refusal).slice(0, 1_000)}</bdi>
          <button type="button" class="jobdeck-button" aria-label={trans.__("Dismiss")} onClick={() => setRefusal(null)}>
            ✕
          </button>
        </p>
      ) : null}
      <Parts {...props} jobs={jobs} command={command} cancelGroup={cancelGroup} isFiltered={!query.isEmpty} />
      {asked ? <Confirm {...asked.question} onConfirm={() => bulk(asked.order)} onClose={() => ask(null)} /> : null}
    </div>
  );
}

interface PartsProps extends Props {
  jobs: CurrentItems;
  command: (id: string, name: CommandName) => void;
  cancelGroup: (group: string) => void;
  isFiltered: boolean;
}

function Parts({ jobs, isFiltered, note, ...rest }: PartsProps): VNode {
  const { trans } = usePlace();
  const { running, waiting, ended } = jobs;
  if (running.length + waiting.length + ended.length === 0) {
    if (note.value) return <></>;
    return <p class="jobdeck-empty">{isFiltered ? trans.__("No job matches.") : trans.__("No jobs yet.")}</p>;
  }
  return (
    <div class="jobdeck-panel-parts">
      <Part {...rest} title={trans.__("Running")} query="status:running" items={running} />
      <Part {...rest} title={trans.__("Queued")} query="status:queued" items={waiting} />
      <Part {...rest} title={trans.__("Recent")} query="" items={ended} />
    </div>
  );
}

interface PartProps extends Omit<PartsProps, "jobs" | "isFiltered" | "note"> {
  title: string;
  query: string;
  items: readonly CurrentItem[];
}

function Part({ title, query, items, onDeck, onGroup, table, onOpen, command, cancelGroup }: PartProps): VNode | null {
  const { trans } = usePlace();
  const id = useElementId();
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h3 class="jobdeck-panel-part" id={id}>
        {title} <span class="jobdeck-number">{count(items.length)}</span>
      </h3>
      <ul class="jobdeck-panel-rows">
        {items.slice(0, MOST).map((item) =>
          "row" in item ? (
            <Row key={item.id} row={item.row} table={table} onOpen={onOpen} command={command} />
          ) : (
            <Group key={item.id} standing={item.standing} table={table} onGroup={onGroup} cancelGroup={cancelGroup} />
          ),
        )}
      </ul>
      {items.length > MOST ? (
        <button type="button" class="jobdeck-fold" onClick={() => onDeck(query)}>
          {trans.__("{count} more in the deck", { count: count(items.length - MOST) })}
        </button>
      ) : null}
    </section>
  );
}

type RowProps = Pick<PartProps, "table" | "onOpen" | "command"> & { row: DeckRow };

function Row({ row, table, onOpen, command }: RowProps): VNode {
  const { trans } = usePlace();
  const name = row.name.slice(0, LONGEST_NAME);
  const offered = deedFor(row);
  const isAble = offered?.refusal === null && !(offered.deed === "kill" && row.watched);
  const action: CommandName | null = isAble && offered.deed !== "retry" ? offered.deed : null;
  return (
    <li class="jobdeck-panel-row" data-job-id={row.id} data-status={row.status}>
      <div class="jobdeck-panel-line">
        <Badge job={row} isQuiet />
        <button type="button" class="jobdeck-name" title={name} onClick={() => onOpen(row)}>
          <bdi>{name}</bdi>
        </button>
        <Time row={row} table={table} />
        {action ? (
          <button
            type="button"
            class="jobdeck-button jobdeck-panel-stop"
            data-command={action}
            title={action === "kill" ? trans.__("Kill now") : trans.__("Cancel")}
            aria-label={action === "kill" ? trans.__("Kill {name} now", { name }) : trans.__("Cancel {name}", { name })}
            onClick={(event) => {
              // The second half of a double click on Cancel is no wish to kill.
              if (event.detail <= 1) command(row.id, action);
            }}
          >
            {action === "kill" ? trans.__("Kill") : "✕"}
          </button>
        ) : null}
      </div>
      <ProgressBar job={row} />
    </li>
  );
}

type GroupProps = Pick<PartProps, "table" | "onGroup" | "cancelGroup"> & { standing: Standing };

/** A group as one thing: how far it is, a way to its jobs, and to stop them all. */
function Group({ standing, table, onGroup, cancelGroup }: GroupProps): VNode {
  const { trans, tick } = usePlace();
  const { group, final, total } = standing;
  if (standing.ended === null) void tick.value;
  const ran = elapsedOf(standing, table.now());
  const name = group.name.slice(0, LONGEST_NAME);
  const words = standingWords(standing, trans);
  return (
    <li class="jobdeck-panel-row" data-group={group.id} data-status={statusOf(standing)}>
      <div class="jobdeck-panel-line">
        <StandingBadge standing={standing} isQuiet />
        <button type="button" class="jobdeck-name" title={`${name}: ${words}`} onClick={() => onGroup(group.id)}>
          <bdi>{name}</bdi>
        </button>
        {ran === null ? null : <span class="jobdeck-quiet jobdeck-number">{standing.ended === null ? duration(ran) : took(ran)}</span>}
        {standing.underWay > 0 ? (
          <button
            type="button"
            class="jobdeck-button jobdeck-panel-stop"
            data-command="cancel"
            title={trans.__("Cancel all")}
            aria-label={trans.__("Cancel all jobs of {name}", { name })}
            onClick={() => cancelGroup(group.id)}
          >
            ✕
          </button>
        ) : null}
      </div>
      <div class="jobdeck-panel-size jobdeck-quiet jobdeck-number">
        {[
          final === total ? trans.__("{n} jobs", { n: count(total) }) : `${count(final)} / ${count(total)}`,
          ...mishapWords(standing, trans),
        ].join(" · ")}
      </div>
      <MixedBar standing={standing} isTall />
    </li>
  );
}

function Time({ row, table }: Pick<RowProps, "row" | "table">): VNode | null {
  const { tick } = usePlace();
  if (!row.final) void tick.value;
  const ran = elapsed(row, table.now());
  return ran === null ? null : <span class="jobdeck-quiet jobdeck-number">{row.final ? took(ran) : duration(ran)}</span>;
}

/** Show the panel in an element. Returns what takes it out again. */
export function mountPanel(element: Element, { trans = translator(), ...props }: Props & { trans?: Translation }): () => void {
  const place = { trans, idPrefix: rootId(), tick: ticker() };
  const release = guardKeys();
  render(
    <EnvContext.Provider value={place}>
      <JobPanel {...props} />
    </EnvContext.Provider>,
    element,
  );
  return () => {
    render(null, element);
    release();
  };
}
