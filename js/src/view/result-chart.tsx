import type { VNode } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { chartsOf, isCounted, marksOf, rowsOf, type Mark, type OneChart } from "../model/marks";
import { count } from "../model/time";
import type { ChartInfo } from "../model/wire";
import { Drawing } from "./drawing";
import type { Translation } from "../model/translation";
import { useElementId, usePlace } from "./env";
import { csvLine, fileName, pngOf, saveAs, saveBlob } from "./files";

const LONGEST_TITLE = 100;
/** Marks whose numbers are in the words for the whole. */
const FEW = 4;

interface Props {
  chart: ChartInfo;
  /** Whose result it is; files are called after it. */
  name: string;
}

/** A picture of a result: its counts, or its estimates, one chart at a time. */
export function ResultChart({ chart, name }: Props): VNode | null {
  const { trans } = usePlace();
  const id = useElementId();
  const charts = useMemo(() => chartsOf(chart), [chart]);
  const [place, choose] = useState(0);
  const chosen = charts[Math.min(place, charts.length - 1)];
  if (!chosen) return null;
  const left = chart.kind === "many" ? chart.more : 0;
  const chooser =
    charts.length > 1 ? (
      <>
        <label for={id}>{trans.__("Show")}</label>
        <select
          id={id}
          class="jobdeck-select"
          value={String(place)}
          onChange={(event) => choose(Number(event.currentTarget.value))}
          // A notebook has its own meaning for letters and arrows.
          onKeyDown={(event) => event.stopPropagation()}
        >
          {charts.map(({ title }, i) => (
            <option key={i} value={String(i)}>
              {title.slice(0, LONGEST_TITLE)}
            </option>
          ))}
        </select>
        {left > 0 ? <span class="jobdeck-quiet">{trans.__("and {n} more", { n: count(left) })}</span> : null}
      </>
    ) : null;
  return <One key={place} chart={chosen.chart} name={chosen.title ? `${name} ${chosen.title}` : name} chooser={chooser} />;
}

function One({ chart, name, chooser }: { chart: OneChart; name: string; chooser: VNode | null }): VNode {
  const { trans } = usePlace();
  const [isByCount, setByCount] = useState(false);
  const [isTable, setTable] = useState(false);
  const [trouble, tell] = useState<string | null>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const marks = useMemo(() => marksOf(chart, isByCount), [chart, isByCount]);
  const isBars = chart.kind === "histogram";
  const savePng = (): void => {
    if (!drawing.current) return;
    void pngOf(drawing.current).then((blob) => {
      if (blob) saveBlob(fileName(name, "png"), blob);
      tell(blob ? null : trans.__("The browser could not paint this picture: save the numbers as CSV."));
    });
  };
  const toggle = (label: string, isOn: boolean, act: () => void): VNode => (
    <button type="button" class="jobdeck-button" aria-pressed={isOn} onClick={act}>
      {label}
    </button>
  );
  return (
    <figure class="jobdeck-result-chart" aria-label={titleOf(chart, marks, trans)} data-chart={chart.kind}>
      <div class="jobdeck-result-tools" data-lm-suppress-shortcuts="true">
        {chooser}
        <span class="jobdeck-grow" />
        {isBars && marks.length > 1 ? toggle(trans.__("Largest first"), isByCount, () => setByCount(!isByCount)) : null}
        {toggle(trans.__("Table"), isTable, () => setTable(!isTable))}
        {isTable ? null : (
          <button type="button" class="jobdeck-button" aria-label={trans.__("Save as PNG")} title={trans.__("Save as PNG")} onClick={savePng}>
            {trans.__("PNG")}
          </button>
        )}
        <button
          type="button"
          class="jobdeck-button"
          aria-label={trans.__("Save as CSV")}
          title={trans.__("Save as CSV")}
          onClick={() => saveAs(fileName(name, "csv"), rowsOf(chart, marks).map(csvLine).join(""), "text/csv")}
        >
          {trans.__("CSV")}
        </button>
      </div>
      {isTable ? (
        <Numbers chart={chart} marks={marks} />
      ) : (
        <Drawing
          marks={marks}
          isBars={isBars}
          label={titleOf(chart, marks, trans)}
          wordsOf={(mark) => wordsOf(chart, mark, trans)}
          idle={[totals(chart, marks, trans), restOf(chart, trans)].filter(Boolean).join(" · ")}
          drawing={drawing}
        />
      )}
      {isTable && restOf(chart, trans) ? <p class="jobdeck-reading">{restOf(chart, trans)}</p> : null}
      {trouble ? (
        <p class="jobdeck-note jobdeck-trouble" role="status">
          {trouble}
        </p>
      ) : null}
    </figure>
  );
}

function Numbers({ chart, marks }: { chart: OneChart; marks: readonly Mark[] }): VNode {
  const { trans } = usePlace();
  const [head = [], ...rows] = rowsOf(chart, marks);
  return (
    <div class="jobdeck-numbers" tabIndex={0} role="region" aria-label={trans.__("Numbers of the result")}>
      <table class="jobdeck-figures">
        <thead>
          <tr>
            {head.map((title, i) => (
              <th key={title} scope="col" class={i > 0 ? "jobdeck-number" : ""}>
                {trans.gettext(String(title))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, ...values]) => (
            <tr key={label}>
              <th scope="row">
                <bdi>{label}</bdi>
              </th>
              {values.map((value, i) => (
                <td key={i} class="jobdeck-number">
                  {typeof value === "number" ? number(value) : (value ?? "–")}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function number(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6)));
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** What the whole picture says, for those who hear it: all of it where it is short. */
function titleOf(chart: OneChart, marks: readonly Mark[], trans: Translation): string {
  const all = marks.length <= FEW ? `: ${marks.map((mark) => wordsOf(chart, mark, trans)).join("; ")}` : "";
  return `${chart.kind === "histogram" ? trans.__("Histogram") : trans.__("Estimates")}, ${totals(chart, marks, trans)}${all}`;
}

function totals(chart: OneChart, marks: readonly Mark[], trans: Translation): string {
  const n = marks.length + chart.more;
  if (chart.kind === "estimates") return n === 1 ? trans.__("1 estimate") : trans.__("{n} estimates", { n: count(n) });
  const outcomes = n === 1 ? trans.__("1 outcome") : trans.__("{n} outcomes", { n: count(n) });
  return isCounted(chart) ? `${trans.__("{n} shots", { n: count(chart.shots) })} · ${outcomes}` : outcomes;
}

/** What is left out; empty where nothing is. */
function restOf(chart: OneChart, trans: Translation): string {
  if (chart.more === 0) return "";
  if (chart.kind === "estimates") return trans.__("and {n} more", { n: count(chart.more) });
  const rest = 1 - chart.counts.reduce((sum, each) => sum + each, 0) / chart.shots;
  return trans.__("the {shown} largest; {n} more have {share} together", {
    shown: chart.counts.length,
    n: count(chart.more),
    share: percent(Math.max(0, rest)),
  });
}

/** `00 · 495 of 1,024 · 48.3 %`, `[0, 1] · -1.137 ± 0.002`. */
function wordsOf(chart: OneChart, { label, value, error }: Mark, trans: Translation): string {
  if (chart.kind === "estimates") {
    const size = value === null ? trans.__("no finite number") : number(value);
    return `${label} · ${error === null ? size : `${size} ± ${Number(error.toPrecision(2))}`}`;
  }
  const share = percent((value ?? 0) / (isCounted(chart) ? chart.shots : 1));
  return isCounted(chart) ? `${label} · ${trans.__("{n} of {all}", { n: count(value ?? 0), all: count(chart.shots) })} · ${share}` : `${label} · ${share}`;
}
