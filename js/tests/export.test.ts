import { afterEach, describe, expect, it, vi } from "vitest";
import { columnsOf, isoTime } from "../src/model/columns";
import { fillRow, type DeckRow } from "../src/model/row";
import { toCsv, toJson } from "../src/view/deck/export";
import { saveAs } from "../src/view/files";
import { HOSTILE, NOW } from "./support/wire";

let made = 0;

function row(changes: Partial<DeckRow> = {}): DeckRow {
  made += 1;
  return { ...fillRow({ id: `id-${made}`, number: made, name: "vqe", engine: "local", status: "DONE", created: NOW }), ...changes };
}

/** The cells of one column, as a reader of CSV gets them. */
function read(csv: string, title: string): string[] {
  const table: string[][] = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    table.at(-1)?.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (end === "\r\n") table.push([]);
  }
  const at = table[0]?.indexOf(title) ?? -1;
  return table.slice(1, -1).map((cells) => cells[at] ?? "");
}

describe("a file of rows", () => {
  it("has a line for each, with all facts, inputs and numbers by name", () => {
    const rows = [row({ inputs: { bond: "0.74" }, values: { bond: 0.74, energy: -1.1 } }), row({ values: { loss: 3 } })];
    const csv = toCsv(rows);
    expect(csv.split("\r\n").length).toBe(4);
    expect(columnsOf(rows).map(({ title }) => title).slice(-3)).toEqual(["input bond", "value energy", "value loss"]);
    expect(read(csv, "input bond")).toEqual(["0.74", ""]);
    expect(read(csv, "value energy")).toEqual(["-1.1", ""]);
    expect(read(csv, "status")).toEqual(["DONE", "DONE"]);
  });

  it("quotes what has commas, quotes or line ends in it", () => {
    const name = 'a "b",\r\nc';
    expect(toCsv([row({ name })], [{ title: "name", value: (one) => one.name }])).toBe('name\r\n"a ""b"",\r\nc"\r\n');
  });

  it.each(["=1+1", "+cmd", "-cmd|' /C calc'!A1", "@SUM(A1)", "\t=1", "\r=1", "-1-1", "+"])("does not let %j become a formula", (name) => {
    expect(read(toCsv([row({ name })]), "name")).toEqual([`'${name}`]);
  });

  it.each(["-1.5", "+2", "1e-9", "-.5", "plain", HOSTILE, "a=b"])("leaves %j as it is", (name) => {
    expect(read(toCsv([row({ name })]), "name")).toEqual([name]);
  });

  it("leaves numbers numbers", () => {
    expect(read(toCsv([row({ values: { a: -1.5 } }), row({ values: { a: Number.NEGATIVE_INFINITY } })]), "value a")).toEqual(["-1.5", "-Infinity"]);
  });

  it("guards the names of columns, too", () => {
    expect(toCsv([row()], [{ title: "=x", value: () => null }])).toBe("'=x\r\n\r\n");
  });

  it("tells times with their offset from universal time", () => {
    const [created] = read(toCsv([row({ created: NOW + 0.412 })]), "created");
    expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.412[+-]\d\d:\d\d$/);
    expect(new Date(created ?? "").getTime()).toBe((NOW + 0.412) * 1_000);
    vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(-345);
    expect(isoTime(0)).toBe("1970-01-01T05:45:00.000+05:45");
    vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(210);
    expect(isoTime(0)).toBe("1969-12-31T20:30:00.000-03:30");
  });

  it("tells how long what has ended took", () => {
    expect(read(toCsv([row({ started: NOW, ended: NOW + 1.5 }), row({ started: NOW })]), "took")).toEqual(["1.5", ""]);
  });

  it("as JSON is the rows as they are", () => {
    const rows = [row({ name: HOSTILE, tags: ["a", "b"] }), row({ values: { a: 1 } })];
    expect(JSON.parse(toJson(rows))).toEqual(rows);
    expect(JSON.parse(toJson([]))).toEqual([]);
  });
});

describe("a download", () => {
  afterEach(() => vi.useRealTimers());

  it("has its name and its text, and leaves nothing behind", async () => {
    vi.useFakeTimers();
    const blobs: Blob[] = [];
    const clicked: string[] = [];
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      blobs.push(blob as Blob);
      return "blob:here";
    });
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(`${this.download} ${this.href}`);
    });
    const before = document.body.childNodes.length;
    saveAs("jobs.csv", "a,b\r\n", "text/csv");
    expect(clicked).toEqual(["jobs.csv blob:here"]);
    expect([await blobs[0]?.text(), blobs[0]?.type]).toEqual(["a,b\r\n", "text/csv;charset=utf-8"]);
    expect(document.body.childNodes.length).toBe(before);
    vi.runAllTimers();
    expect(revoked.mock.calls).toEqual([["blob:here"]]);
  });
});
