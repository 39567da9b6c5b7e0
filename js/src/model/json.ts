/** JSON that remembers how its numbers were written: `1.0` and `1e-05` show as Python wrote them. */
export type Json =
  | { kind: "object"; entries: Map<string, Json> }
  | { kind: "array"; items: Json[] }
  | { kind: "string"; value: string }
  | { kind: "plain"; source: string };

/** Levels that are read; the encoder writes fewer. */
const DEEPEST = 400;
const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d[\d.eE+-]*|true|false|null))/y;

/** Read JSON text; null where it is not JSON (a body that was cut, say). */
export function parseJson(text: string): Json | null {
  const reader = new Reader(text);
  try {
    const node = reader.value(0);
    return reader.isAtEnd() ? node : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

class Reader {
  private at = 0;
  private punctuation = "";
  private quoted = "";
  private plain = "";

  constructor(private readonly text: string) {}

  isAtEnd(): boolean {
    return this.text.slice(this.at).trim() === "";
  }

  value(depth: number): Json {
    this.next();
    return this.current(depth);
  }

  private current(depth: number): Json {
    if (depth > DEEPEST) throw new SyntaxError("too deep");
    if (this.plain !== "") return { kind: "plain", source: this.plain };
    if (this.quoted !== "") return { kind: "string", value: JSON.parse(this.quoted) as string };
    if (this.punctuation === "[") return { kind: "array", items: this.items(depth) };
    if (this.punctuation === "{") return { kind: "object", entries: this.entries(depth) };
    throw new SyntaxError("no value");
  }

  private items(depth: number): Json[] {
    const items: Json[] = [];
    this.next();
    if (this.punctuation === "]") return items;
    for (;;) {
      items.push(this.current(depth + 1));
      this.next();
      if (this.punctuation === "]") return items;
      this.expect(",");
      this.next();
    }
  }

  private entries(depth: number): Map<string, Json> {
    const entries = new Map<string, Json>();
    this.next();
    if (this.punctuation === "}") return entries;
    for (;;) {
      if (this.quoted === "") throw new SyntaxError("no key");
      const key = JSON.parse(this.quoted) as string;
      this.next();
      this.expect(":");
      entries.set(key, this.value(depth + 1));
      this.next();
      if (this.punctuation === "}") return entries;
      this.expect(",");
      this.next();
    }
  }

  private expect(punctuation: string): void {
    if (this.punctuation !== punctuation) throw new SyntaxError(`no ${punctuation}`);
  }

  private next(): void {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    if (!match) throw new SyntaxError("no token");
    this.at = TOKEN.lastIndex;
    this.punctuation = match[1] ?? "";
    this.quoted = match[2] ?? "";
    this.plain = match[3] ?? "";
  }
}
