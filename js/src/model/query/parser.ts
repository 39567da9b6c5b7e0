/**
 * From a query's text to a tree of terms.
 *
 *     any  := all ("OR" all)*
 *     all  := not ("AND"? not)*
 *     not  := ("NOT" | "-")* (term | "(" any ")")
 *     term := (name operator)? word ("," word)*
 */
import { marking as trans } from "../translation";
import { STATUS_WORDS } from "./fields";
import { isSpace, Scanner } from "./scanner";
import type { Node, Term } from "./syntax";

export const DEEPEST = 50;

/** The tree of a query, null for an empty one. Throws QueryError. */
export function treeOf(text: string): Node | null {
  const scanner = new Scanner(text);
  const tree = anyOf(scanner, 0);
  if (scanner.peek() !== "") scanner.fail(trans.__("this parenthesis was never opened"), scanner.at, scanner.at + 1);
  return tree;
}

function anyOf(scanner: Scanner, depth: number): Node | null {
  const parts: Node[] = [];
  let last: number | null = null;
  for (;;) {
    const part = allOf(scanner, depth);
    if (!part) {
      if (scanner.keyword("OR")) scanner.fail(trans.__("OR needs something before it"), scanner.at, scanner.at + 2);
      if (last !== null) scanner.fail(trans.__("OR needs something after it"), last, last + 2);
      return null;
    }
    parts.push(part);
    if (!scanner.keyword("OR")) return parts.length > 1 ? { kind: "any", parts } : part;
    last = scanner.at;
    scanner.at += 2;
  }
}

function allOf(scanner: Scanner, depth: number): Node | null {
  const parts: Node[] = [];
  const statuses: Term[] = [];
  for (;;) {
    scanner.skipSpaces();
    if (isEnd(scanner) || scanner.keyword("OR")) break;
    if (scanner.keyword("AND")) {
      const start = scanner.at;
      scanner.at += 3;
      scanner.skipSpaces();
      if (parts.length + statuses.length === 0) scanner.fail(trans.__("AND needs something before it"), start, start + 3);
      if (isEnd(scanner) || scanner.keyword("OR", "AND")) scanner.fail(trans.__("AND needs something after it"), start, start + 3);
    }
    const isBare = scanner.peek() !== "(" && scanner.peek() !== "-" && !scanner.keyword("NOT");
    const part = not(scanner, depth);
    if (isBare && isStatus(part)) statuses.push(part);
    else parts.push(part);
  }
  // No job has two, so that any of those that stand side by side is meant.
  if (statuses.length > 0) parts.unshift({ kind: "term", name: null, operator: ":", words: statuses.flatMap((term) => term.words) });
  return parts.length > 1 ? { kind: "all", parts } : (parts[0] ?? null);
}

function not(scanner: Scanner, depth: number): Node {
  let isNegated = false;
  for (;;) {
    const start = scanner.at;
    if (scanner.peek() === "-") {
      scanner.at += 1;
      if (isEnd(scanner) || isSpace(scanner.peek())) {
        scanner.fail(trans.__("- stands right before what is to be left out"), start, scanner.at);
      }
    } else if (scanner.keyword("NOT")) {
      scanner.at += 3;
      scanner.skipSpaces();
      if (isEnd(scanner)) scanner.fail(trans.__("NOT needs something after it"), start, start + 3);
    } else {
      break;
    }
    isNegated = !isNegated;
  }
  const keyword = scanner.keyword("OR", "AND");
  if (keyword) scanner.fail(trans.__("{word} needs something before it"), scanner.at, scanner.at + keyword.length, { word: keyword });
  const part = scanner.peek() === "(" ? group(scanner, depth + 1) : scanner.term();
  return isNegated ? { kind: "not", part } : part;
}

function group(scanner: Scanner, depth: number): Node {
  const start = scanner.at;
  if (depth > DEEPEST) scanner.fail(trans.__("parentheses are at most {most} deep"), start, start + 1, { most: DEEPEST });
  scanner.at += 1;
  const part = anyOf(scanner, depth);
  if (scanner.peek() !== ")") scanner.fail(trans.__("this parenthesis is never closed"), start, start + 1);
  scanner.at += 1;
  return part ?? scanner.fail(trans.__("there is nothing in these parentheses"), start, scanner.at);
}

function isEnd(scanner: Scanner): boolean {
  return scanner.peek() === "" || scanner.peek() === ")";
}

function isStatus(node: Node): node is Term {
  if (node.kind !== "term" || node.name) return false;
  return node.words.every((word) => !word.isQuoted && STATUS_WORDS.has(word.text.toLowerCase()));
}
