import type { ComponentChildren, VNode } from "preact";
import { lineOf } from "../../model/folding";
import { elapsedOf, type Standing } from "../../model/groups";
import { count, duration, moment, took } from "../../model/time";
import type { Translation } from "../../model/translation";
import { usePlace } from "../env";
import { MixedBar, StandingBadge, standingWords } from "../standing";
import { Tags } from "../tags";
import { useDeck } from "./control";
import type { LinePlace } from "./row";

const LONGEST = 300;

/** A group's line: how its jobs stand, and a mark that shows them below it. */
export function GroupRow({ group, elementId, index, top, columns }: LinePlace & { group: string }): VNode {
  const { trans, tick } = usePlace();
  const control = useDeck();
  const { table, selection, folded } = control;
  const standing = control.groups.standing(group);
  const shown = folded.value.shown.get(group) ?? [];
  const selected = selection.ids.value;
  const isSelected = shown.length > 0 && shown.every((id) => selected.has(id));
  const line = lineOf(group);
  const isActive = selection.active.value === line;
  const isOpen = control.isOpen(group);
  if (standing.started !== null && standing.ended === null) void tick.value;
  const now = table.now();
  const name = standing.group.name.slice(0, LONGEST);
  return (
    <div
      id={elementId}
      role="row"
      class={`jobdeck-grid-row jobdeck-group-row${isActive ? " jobdeck-is-active" : ""}`}
      aria-rowindex={index + 2}
      aria-level={1}
      aria-expanded={isOpen}
      aria-selected={isSelected}
      data-line={line}
      data-group={group}
      style={{ transform: `translateY(${top}px)` }}
    >
      {columns.map((column, place) => (
        <div
          key={column.id}
          role="gridcell"
          class={`jobdeck-cell${column.isNumber ? " jobdeck-number" : ""}`}
          aria-colindex={place + 1}
          data-column={column.id}
          title={hint(column.id, standing, trans)}
        >
          {column.id === "name" ? (
            <span class="jobdeck-group-name">
              <span class="jobdeck-twist" aria-hidden="true">
                {isOpen ? "▾" : "▸"}
              </span>
              <b>
                <bdi>{name}</bdi>
              </b>
              <span class="jobdeck-quiet jobdeck-number"> {sizeOf(shown.length, control.groups.jobsOf(group).size, standing, trans)}</span>
            </span>
          ) : (
            show(column.id, standing, now, trans)
          )}
        </div>
      ))}
    </div>
  );
}

/** `300`, or of how many those are that are shown; some of `all` may have been run again. */
function sizeOf(shown: number, all: number, { total }: Standing, trans: Translation): string {
  return shown === all ? count(total) : trans.__("{n} of {total}", { n: count(shown), total: count(total) });
}

function show(column: string, standing: Standing, now: number, trans: Translation): ComponentChildren {
  const { group, started, ended, engines } = standing;
  const time = (moment_: number | null): ComponentChildren => (moment_ === null ? null : moment(moment_, now, trans));
  switch (column) {
    case "status":
      return <StandingBadge standing={standing} isQuiet />;
    case "progress":
      return <MixedBar standing={standing} />;
    case "engine":
      return <bdi>{engines.slice(0, 3).join(", ").slice(0, LONGEST)}</bdi>;
    case "latest":
      return <bdi>{standingWords(standing, trans)}</bdi>;
    case "started":
      return time(started);
    case "took": {
      const ran = elapsedOf(standing, now);
      return ran === null ? null : standing.ended === null ? duration(ran) : took(ran);
    }
    case "tags":
      return <Tags tags={group.tags} of="row" />;
    case "created":
      return time(group.created);
    case "ended":
      return time(ended);
    case "id":
      return <bdi>{group.id}</bdi>;
    default:
      return null;
  }
}

function hint(column: string, standing: Standing, trans: Translation): string | undefined {
  switch (column) {
    case "name":
      return standing.group.name.slice(0, LONGEST);
    case "status":
    case "progress":
    case "latest":
      return standingWords(standing, trans);
    default:
      return undefined;
  }
}
