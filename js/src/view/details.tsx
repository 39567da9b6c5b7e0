import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { JobState } from "../model/deck";
import { factsOf } from "../model/facts";
import { lastFrame, opensByItself } from "../model/status";
import { bytes, count, took } from "../model/time";
import type { ErrorInfo, JobInfo } from "../model/wire";
import type { Translation } from "../model/translation";
import { useElementId, useEnv } from "./env";
import { InterimLog } from "./interim";
import { Output } from "./lines";
import { recall, remember } from "./memory";
import { Picture } from "./message";
import { Text } from "./parts";
import { Plot } from "./plot";
import { ResultChart } from "./result-chart";
import { useChanges, useInfo } from "./seen";
import { Tabs, type Tab } from "./tabs";

const LONGEST = 20_000;

/** Why a job failed: its message, the place, and the traceback folded away. */
export function ErrorView({ error }: { error: ErrorInfo }): VNode {
  const { trans } = useEnv();
  const id = useElementId();
  const [isUnfolded, setUnfolded] = useState(false);
  const place = lastFrame(error.traceback);
  return (
    <div class="jobdeck-error" data-error-kind={error.kind}>
      <pre class="jobdeck-text">
        <Text text={error.text} />
        {place ? (
          <>
            {"\n  "}
            <Text text={place} />
          </>
        ) : null}
      </pre>
      {error.traceback ? (
        <>
          <button
            type="button"
            class="jobdeck-fold"
            aria-expanded={isUnfolded}
            aria-controls={id}
            onClick={() => setUnfolded(!isUnfolded)}
          >
            {isUnfolded ? "▾" : "▸"} {trans.__("Traceback")}
          </button>
          {isUnfolded ? (
            <pre class="jobdeck-text jobdeck-traceback" id={id}>
              <Text text={error.traceback} most={LONGEST} />
            </pre>
          ) : null}
        </>
      ) : null}
    </div>
  );
}

/** What the system that runs the job tells of it beside its status. */
function Facts({ info }: { info: JobInfo }): VNode | null {
  const { trans } = useEnv();
  const facts = factsOf(info);
  if (facts.length === 0) return null;
  return (
    <dl class="jobdeck-facts">
      {facts.map(({ name, label, value }) => (
        <div key={name} data-fact={name}>
          <dt class="jobdeck-quiet">
            <Text text={trans.gettext(label)} most={100} />
          </dt>
          <dd class="jobdeck-number">
            <Text text={value} most={200} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Inputs({ info }: { info: JobInfo }): VNode {
  const { trans } = useEnv();
  const inputs = Object.entries(info.inputs);
  if (inputs.length === 0) return <p class="jobdeck-empty">{trans.__("It was given no inputs.")}</p>;
  return (
    <table class="jobdeck-inputs" aria-label={trans.__("Inputs")}>
      <tbody>
        {inputs.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <Text text={name} />
            </th>
            <td>
              <Text text={value} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The result as its own text; below a picture of it, which tells more, folded away. */
function ResultText({ text, isFolded }: { text: string; isFolded: boolean }): VNode {
  const { trans } = useEnv();
  const id = useElementId();
  const [isUnfolded, setUnfolded] = useState(false);
  const shown = (
    <pre class="jobdeck-text" id={id}>
      <Text text={text} most={LONGEST} />
    </pre>
  );
  if (!isFolded) return shown;
  return (
    <>
      <button type="button" class="jobdeck-fold" aria-expanded={isUnfolded} aria-controls={id} onClick={() => setUnfolded(!isUnfolded)}>
        {isUnfolded ? "▾" : "▸"} {trans.__("As text")}
      </button>
      {isUnfolded ? shown : null}
    </>
  );
}

function Result({ info }: { info: JobInfo }): VNode {
  const { trans } = useEnv();
  const facts = [
    info.cpu_time === null ? null : trans.__("CPU time {time}", { time: took(info.cpu_time) }),
    info.peak_memory === null ? null : trans.__("peak memory {size}", { size: bytes(info.peak_memory) }),
    info.exit_code === null || info.exit_code === 0 ? null : trans.__("exit code {code}", { code: info.exit_code }),
  ].filter((fact) => fact !== null);
  return (
    <div class="jobdeck-result">
      {info.chart ? <ResultChart chart={info.chart} name={info.name} /> : null}
      {info.result === null ? (
        <p class="jobdeck-empty">{info.final ? trans.__("It left no result.") : trans.__("There is no result yet.")}</p>
      ) : (
        <ResultText text={info.result} isFolded={info.chart !== null} />
      )}
      {facts.length > 0 ? <p class="jobdeck-empty jobdeck-number">{facts.join(" · ")}</p> : null}
    </div>
  );
}

function Interim({ job }: { job: JobState }): VNode {
  useChanges(job.messageChanges);
  const hasPlot = job.series.size > 0;
  const hasPicture = job.picture.value > 0;
  return (
    <div class="jobdeck-sides">
      <InterimLog job={job} />
      {hasPlot || hasPicture ? (
        <div class="jobdeck-side">
          {hasPlot ? <Plot job={job} /> : null}
          {hasPicture ? <Picture job={job} /> : null}
        </div>
      ) : null}
    </div>
  );
}

/** What there can be to see: somebody else's job may have no more than a result. */
function tabsOf(info: JobInfo, trans: Translation): Tab[] {
  const tabs: Tab[] = [
    { name: "interim", label: trans.__("Interim results"), note: info.interim_count > 0 ? count(info.interim_count) : "" },
    { name: "output", label: trans.__("Output") },
    { name: "inputs", label: trans.__("Inputs") },
    { name: "result", label: trans.__("Result") },
  ];
  if (!info.watched) return tabs;
  const present: Record<string, boolean> = {
    interim: info.interim_count > 0,
    output: info.log_size > 0,
    inputs: Object.keys(info.inputs).length > 0,
    result: true,
  };
  return tabs.filter(({ name }) => present[name]);
}

function firstTab(info: JobInfo): string {
  if (info.chart) return "result";
  if (info.interim_count > 0 || (opensByItself(info) && !info.watched)) return "interim";
  if (info.watched) return info.log_size > 0 ? "output" : "result";
  if (info.result !== null) return "result";
  return info.log_size > 0 ? "output" : "inputs";
}

/** What an open card shows below its line. */
export function Details({ job, onTouched }: { job: JobState; onTouched: () => void }): VNode {
  const { trans } = useEnv();
  const info = useInfo(job);
  const [chosen, choose] = useState(() => recall(job.id).tab ?? null);
  const [automatic] = useState(() => firstTab(info));
  const tabs = tabsOf(info, trans);
  const wanted = chosen ?? automatic;
  const tab = tabs.some(({ name }) => name === wanted) ? wanted : "result";
  return (
    <div class="jobdeck-details" onPointerDown={onTouched} onKeyDown={onTouched}>
      <Facts info={info} />
      <Tabs
        tabs={tabs}
        chosen={tab}
        onChoose={(name) => {
          choose(name);
          remember(job.id, { tab: name });
        }}
      >
        {tab === "interim" ? <Interim job={job} /> : null}
        {tab === "output" ? <Output job={job} /> : null}
        {tab === "inputs" ? <Inputs info={info} /> : null}
        {tab === "result" ? <Result info={info} /> : null}
      </Tabs>
    </div>
  );
}
