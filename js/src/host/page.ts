/** What a page of a Jupyter server says about its server. */
export interface Page {
  /** With a slash at its end. */
  baseUrl: URL;
  token: string;
}

/** The page's configuration, as JupyterLab, Notebook 7 and Voila leave it; empty on a page without one (VS Code, say). */
function readConfig(document: Document): Readonly<Record<string, unknown>> {
  const text = document.getElementById("jupyter-config-data")?.textContent;
  if (!text) return {};
  try {
    const config: unknown = JSON.parse(text);
    return typeof config === "object" && config !== null ? { ...config } : {};
  } catch {
    return {};
  }
}

/** Where the page's server is; null on a page that does not say. */
export function readPage(document: Document): Page | null {
  const { baseUrl, token } = readConfig(document);
  if (typeof baseUrl !== "string") return null;
  const url = new URL(baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`, document.baseURI);
  return { baseUrl: url, token: typeof token === "string" ? token : "" };
}

/** Whether the page is a notebook that Voila serves as an app. */
export function isVoila(document: Document): boolean {
  const { appUrl } = readConfig(document);
  return typeof appUrl === "string" && appUrl.replaceAll("/", "") === "voila";
}

/** The value that the server wants to see in the header of a request that changes something. */
export function xsrfToken(cookies: string): string | null {
  const match = /(?:^|;\s*)_xsrf=([^;]*)/.exec(cookies);
  return match?.[1] ? decodeURIComponent(match[1]) : null;
}

/** Marks the root element of a page whose outputs the JupyterLab extension shows and feeds from the server. */
export const LAB_MARK = "data-jobdeck-lab";
