import { marking as trans } from "../model/translation";
import { isFrame, mismatch, PROTOCOL, type BulkOrder, type CommandName, type Reply, type Report } from "../model/wire";
import { HostError, VersionError } from "./host";
import { xsrfToken, type Page } from "./page";

/** jobdeck's part of a Jupyter server. */
export interface ServerInfo {
  version: string;
  protocol: number;
  store_id: string;
}

/** A saved notebook's other two forms of a job, made by the server. */
export interface StaticForms {
  html: string;
  text: string;
}

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

const API = "jobdeck/api/v1/";

/** The REST side of jobdeck's server extension. */
export class Rest {
  private readonly root: URL;

  constructor(
    private readonly page: Page,
    private readonly fetch: Fetch = (url, init) => globalThis.fetch(url, init),
    private readonly cookies: () => string = () => document.cookie,
  ) {
    this.root = new URL(API, page.baseUrl);
  }

  /** Where it is. */
  get address(): string {
    return this.root.href;
  }

  /** Where the feed's WebSocket is; a browser cannot give it headers, so that a token goes into the address. */
  feedUrl(): string {
    const url = new URL("feed", this.root);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("protocol", String(PROTOCOL));
    if (this.page.token) url.searchParams.set("token", this.page.token);
    return url.href;
  }

  /** What the server says about itself; null where it has no jobdeck. Rejects with a {@link VersionError} for another one. */
  async info(): Promise<ServerInfo | null> {
    const answer = await this.send(this.root, { method: "GET" });
    if (answer.status === 404) return null;
    const info = (await readJson(answer)) as (Partial<ServerInfo> & Record<string, unknown>) | null;
    const refused = refusal(answer, answer.ok ? null : info);
    if (refused !== null) throw new HostError(refused);
    const other = mismatch(info);
    if (other) throw new VersionError(other);
    const ours = info?.protocol === PROTOCOL && typeof info.store_id === "string";
    return ours ? (info as ServerInfo) : null;
  }

  async command(id: string, command: CommandName, inputs?: Readonly<Record<string, string>>): Promise<Reply> {
    const { answer, body } = await this.post(`jobs/${encodeURIComponent(id)}/commands`, { command, ...(inputs && { inputs }) });
    return { type: "reply", request: 0, error: refusal(answer, body), job: (body?.job ?? null) as Reply["job"] };
  }

  async bulk(order: BulkOrder): Promise<Report> {
    const { answer, body } = await this.post("commands", order);
    if (isFrame(body) && body.type === "report") return body;
    const error = refusal(answer, body) ?? trans.__("The Jupyter server did not say what became of the jobs.");
    return { type: "report", request: 0, error, outcomes: {}, counts: {}, made: {}, reasons: {} };
  }

  /** The static forms of some jobs, or of a group, for a notebook that is opened where no script runs. */
  async staticForms(ids: readonly string[], layout: string, group: string | null = null): Promise<StaticForms | null> {
    const url = new URL("html", this.root);
    url.searchParams.set("ids", ids.join(","));
    url.searchParams.set("layout", layout);
    if (group !== null) url.searchParams.set("group", group);
    const answer = await this.send(url, { method: "GET" });
    const forms = answer.ok ? ((await readJson(answer)) as Partial<StaticForms> | null) : null;
    return typeof forms?.html === "string" && typeof forms.text === "string" ? (forms as StaticForms) : null;
  }

  private async post(path: string, payload: unknown): Promise<{ answer: Response; body: Record<string, unknown> | null }> {
    const answer = await this.send(new URL(path, this.root), {
      method: "POST",
      body: JSON.stringify(payload),
      headers: { "Content-Type": "application/json" },
    });
    return { answer, body: (await readJson(answer)) as Record<string, unknown> | null };
  }

  private async send(url: URL, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const xsrf = xsrfToken(this.cookies());
    if (xsrf) headers.set("X-XSRFToken", xsrf);
    if (this.page.token) headers.set("Authorization", `token ${this.page.token}`);
    try {
      return await this.fetch(url.href, { ...init, headers, credentials: "same-origin", cache: "no-store" });
    } catch (error) {
      throw new HostError(`The Jupyter server cannot be reached: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Why a server did not do what was asked, null if it did. */
function refusal(answer: Response, body: Record<string, unknown> | null): string | null {
  const said = [body?.error, body?.message].find((text): text is string => typeof text === "string" && text !== "");
  return said ?? (answer.ok ? null : `The Jupyter server refused (${answer.status} ${answer.statusText}).`);
}

async function readJson(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
