/** What a page of a Jupyter server says about its server. */
export interface Page {
  /** With a slash at its end. */
  baseUrl: URL;
  token: string;
}

/** Read the page's configuration, as JupyterLab and Notebook 7 leave it; null on a page without one (VS Code, say). */
export function readPage(document: Document): Page | null {
  const text = document.getElementById("jupyter-config-data")?.textContent;
  if (!text) return null;
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof config !== "object" || config === null) return null;
  const { baseUrl, token } = config as { baseUrl?: unknown; token?: unknown };
  if (typeof baseUrl !== "string") return null;
  const url = new URL(baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`, document.baseURI);
  return { baseUrl: url, token: typeof token === "string" ? token : "" };
}

/** The value that the server wants to see in the header of a request that changes something. */
export function xsrfToken(cookies: string): string | null {
  const match = /(?:^|;\s*)_xsrf=([^;]*)/.exec(cookies);
  return match?.[1] ? decodeURIComponent(match[1]) : null;
}

/** Marks the root element of a page whose outputs the JupyterLab extension shows and feeds from the server. */
export const LAB_MARK = "data-jobdeck-lab";
