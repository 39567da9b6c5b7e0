export type Values = Readonly<Record<string, string | number>>;

/**
 * Says texts in the reader's language; `{name}` in one stands for a value. What JupyterLab's extractor of texts finds for
 * those who translate them is a call of `__` with the text itself, on something called `trans`.
 */
export interface Translation {
  __(text: string, values?: Values): string;
  /** The same for a text that was marked elsewhere. */
  gettext(text: string, values?: Values): string;
}

/** A translation by what knows whole texts alone; without that, texts stay as they are. */
export function translator(look: (text: string) => string = (text) => text): Translation {
  const say = (text: string, values: Values = {}): string =>
    look(text).replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
  return { __: say, gettext: say };
}

/** Marks a text of a table for those who translate; `gettext` says it in the reader's language where it is shown. */
export const marking = { __: (text: string): string => text };
