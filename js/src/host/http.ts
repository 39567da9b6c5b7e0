import { PROTOCOL, type CommandName, type Reply } from "../model/wire";
import { HostError } from "./host";
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

  /** Where the feed's WebSocket is; a browser cannot give it headers, so that a token goes into the address. */
  feedUrl(): string {
    const url = new URL("feed", this.root);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.page.token) url.searchParams.set("token", this.page.token);
    return url.href;
  }

  /** What the server says about itself; null where it has no jobdeck, or one of another protocol. */
  async info(): Promise<ServerInfo | null> {
    const answer = await this.send(this.root, { method: "GET" });
    if (!answer.ok) return null;
    const info = (await readJson(answer)) as Partial<ServerInfo> | null;
    const ours = info?.protocol === PROTOCOL && typeof info.store_id === "string";
    return ours ? (info as ServerInfo) : null;
  }

  async command(id: string, command: CommandName): Promise<Reply> {
    const url = new URL(`jobs/${encodeURIComponent(id)}/commands`, this.root);
    const answer = await this.send(url, {
      method: "POST",
      body: JSON.stringify({ command }),
      headers: { "Content-Type": "application/json" },
    });
    const body = (await readJson(answer)) as { error?: unknown; message?: unknown; job?: unknown } | null;
    const said = [body?.error, body?.message].find((text): text is string => typeof text === "string" && text !== "");
    const error = said ?? (answer.ok ? null : `The Jupyter server refused (${answer.status} ${answer.statusText}).`);
    return { type: "reply", request: 0, error, job: (body?.job ?? null) as Reply["job"] };
  }

  /** The static forms of some jobs, for a notebook that is opened where no script runs. */
  async staticForms(ids: readonly string[], layout: string): Promise<StaticForms | null> {
    const url = new URL("html", this.root);
    url.searchParams.set("ids", ids.join(","));
    url.searchParams.set("layout", layout);
    const answer = await this.send(url, { method: "GET" });
    const forms = answer.ok ? ((await readJson(answer)) as Partial<StaticForms> | null) : null;
    return typeof forms?.html === "string" && typeof forms.text === "string" ? (forms as StaticForms) : null;
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

async function readJson(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
