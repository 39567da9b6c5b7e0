/** How a message's text shows to people, and the numbers in it; `_codec/display.py` does the same. */
import { parseJson, type Json } from "./json";
import type { Numbers } from "./series";

const FLOATS: ReadonlyMap<string, string> = new Map([
  ["nan", "NaN"],
  ["inf", "Infinity"],
  ["-inf", "-Infinity"],
]);
const PLAIN_TEXT: ReadonlySet<string> = new Set(["int", "datetime", "date", "time", "decimal", "fraction", "path", "uuid"]);

/** The text of an encoder's JSON as people read it. What is no JSON (a body that was cut) shows as it is. */
export function displayText(body: string): string {
  const node = parseJson(body);
  if (!node) return wellFormed(body);
  return node.kind === "string" ? wellFormed(node.value) : show(node);
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function show(node: Json): string {
  switch (node.kind) {
    case "string":
      return JSON.stringify(wellFormed(node.value));
    case "array":
      return `[${list(node.items)}]`;
    case "plain":
      return /^-?[1-9]\d*$/.test(node.source) ? node.source : String(JSON.parse(node.source));
    default: {
      const tag = tagOf(node.entries);
      const text = tag && showTag(tag.name, tag.value);
      return text ?? `{${pairs([...node.entries].map(([key, part]) => [quote(key), part]))}}`;
    }
  }
}

function quote(text: string): string {
  return JSON.stringify(wellFormed(text));
}

function list(nodes: readonly Json[]): string {
  return nodes.map(show).join(", ");
}

function pairs(entries: readonly (readonly [string, Json])[]): string {
  return entries.map(([key, part]) => `${key}: ${show(part)}`).join(", ");
}

function tagOf(entries: ReadonlyMap<string, Json>): { name: string; value: Json } | null {
  const name = entries.get("__type__");
  const value = entries.get("__value__");
  return name?.kind === "string" && value ? { name: name.value, value } : null;
}

function showTag(name: string, value: Json): string | null {
  if (value.kind === "string") {
    if (name === "float") return FLOATS.get(value.value) ?? null;
    return PLAIN_TEXT.has(name) ? wellFormed(value.value) : null;
  }
  if (value.kind === "array") return showItems(name, value.items);
  if (value.kind === "object") return showParts(name, value.entries);
  return null;
}

function showItems(name: string, items: readonly Json[]): string | null {
  if (name === "tuple") return items.length === 1 ? `(${list(items)},)` : `(${list(items)})`;
  if (name === "set" || name === "frozenset") return `{${list(items)}}`;
  if (name !== "dict") return null;
  const entries: [string, Json][] = [];
  for (const item of items) {
    const [key, part] = item.kind === "array" && item.items.length === 2 ? item.items : [];
    if (!key || !part) return null;
    entries.push([show(key), part]);
  }
  return `{${pairs(entries)}}`;
}

function showParts(name: string, parts: ReadonlyMap<string, Json>): string | null {
  const kind = parts.get("class");
  const fields = parts.get("fields");
  if (name === "object" && kind?.kind === "string" && fields?.kind === "object") {
    const shown = [...fields.entries].map(([key, part]) => `${wellFormed(key)}=${show(part)}`);
    return `${wellFormed(kind.value)}(${shown.join(", ")})`;
  }
  const value = parts.get("value");
  if (name === "numpy" && value) return show(value);
  const text = parts.get("text");
  return text?.kind === "string" ? wellFormed(text.value) : null;
}

/** Levels of dicts whose numbers are taken. */
const DEEPEST = 20;

/**
 * The numbers that a plot takes from a message: those of a dict or dataclass, in the dicts inside it under
 * `outer.inner`; a number alone is `value`. Null where there are none.
 */
export function numbersOf(body: string): Numbers | null {
  if (!/^\s*[{\d-]/.test(body)) return null;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const alone = numberOf(value);
  if (alone !== null) return { value: alone };
  const found = new Map<string, number>();
  collect(value, "", found, 0);
  return found.size > 0 ? Object.fromEntries(found) : null;
}

type Mapping = Record<string, unknown>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function collect(value: unknown, prefix: string, found: Map<string, number>, depth: number): void {
  const fields = fieldsOf(value);
  if (!fields || depth > DEEPEST) return;
  for (const [name, part] of Object.entries(fields)) {
    const number = numberOf(part);
    if (number !== null) found.set(prefix + name, number);
    else collect(part, `${prefix}${name}.`, found, depth + 1);
  }
}

function isTag(value: Mapping): boolean {
  return typeof value.__type__ === "string" && "__value__" in value;
}

function fieldsOf(value: unknown): Mapping | null {
  if (!isMapping(value)) return null;
  if (!isTag(value)) return value;
  const inner = value.__value__;
  return value.__type__ === "object" && isMapping(inner) && isMapping(inner.fields) ? inner.fields : null;
}

function numberOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (!isMapping(value) || !isTag(value)) return null;
  const inner = value.__value__;
  if (value.__type__ === "numpy" && isMapping(inner)) return numberOf(inner.value);
  if (typeof inner !== "string") return null;
  if (value.__type__ === "float" && FLOATS.has(inner)) return Number(FLOATS.get(inner));
  if (value.__type__ !== "int" || inner === "") return null;
  const number = inner.startsWith("-") ? -Number(inner.slice(1)) : Number(inner);
  return Number.isFinite(number) ? number : null;
}

/** Tell whether a body, whole or cut, is a published picture. */
export function isPicture(body: string): boolean {
  return /^\{"__type__": ?"image"/.test(body);
}

/** Base64 characters of a picture that is shown; a larger one stays a line of text. */
export const LARGEST_PICTURE = 6_000_000;

/** The address of a picture's data, for an image element; null unless it is a PNG of bounded size. */
export function pictureUrl(body: string): string | null {
  if (!isPicture(body) || body.length > LARGEST_PICTURE + 1_000) return null;
  let image: unknown;
  try {
    image = JSON.parse(body);
  } catch {
    return null;
  }
  const data = isMapping(image) && isMapping(image.__value__) ? image.__value__.data : null;
  // A PNG's first bytes in base64; nothing else becomes an image, whatever it calls itself.
  const isPng = typeof data === "string" && /^iVBORw0KGgo[A-Za-z0-9+/]*={0,2}$/.test(data);
  return isPng ? `data:image/png;base64,${data}` : null;
}
