import { expect } from "vitest";
import { type Answer, call, type Json } from "../kit/api.ts";
import { type Expected, type Request, type Row, requestOf, type Step } from "./row.ts";

const UNTIL_MS = 20_000;

type Variables = Record<string, string>;

/** Runs one row as the job ID `id`. Throws, as an assertion, what differs. */
export async function checkRow(address: string, row: Row, variables: Readonly<Variables>): Promise<void> {
  const known = { ...variables };
  for (const step of row.given ?? []) await take(address, requestOf(step), known);
  const answer = await send(address, requestOf(row.request), known);
  checkAnswer(answer, filled(row.expect, known));
}

async function take(address: string, step: Step, known: Variables): Promise<void> {
  const answer = step.until === undefined ? await send(address, step, known) : await untilMatches(address, step, known);
  const { status, body } = answer;
  if (status >= 300) throw new Error(`set-up ${step.line} answered ${status}: ${JSON.stringify(body)}`);
  for (const [name, path] of Object.entries(step.save ?? {})) known[name] = String(valueAt(body, path));
}

async function untilMatches(address: string, step: Step, known: Variables): Promise<Answer<Json>> {
  const end = performance.now() + UNTIL_MS;
  let index = 0;
  for (;;) {
    const separator = step.line.includes("?") ? "&" : "?";
    const answer = await send(address, { ...step, line: `${step.line}${separator}index=${index}&wait=2s` }, known);
    try {
      expect(answer.body).toMatchObject(filled(step.until, known) as object);
      return answer;
    } catch (error) {
      if (performance.now() > end) throw error;
      index = answer.index;
    }
  }
}

function send(address: string, request: Request, known: Variables): Promise<Answer<Json>> {
  const [method = "", path = ""] = request.line.split(/ (.*)/s);
  const body = filled(request.body, known);
  const url = `${address}${path.replace(/\$(\w+)/g, (_, name) => encodeURIComponent(savedAs(known, name)))}`;
  return call(method, url, body, { headers: filled(request.headers ?? {}, known) });
}

function checkAnswer(answer: Answer<Json>, expected: Expected): void {
  const { status, body } = answer;
  // The body tells why, so it stands beside the status.
  expect({ status, ...(status !== (expected.status ?? 200) && { body }) }).toEqual({ status: expected.status ?? 200 });
  for (const [name, value] of Object.entries(expected.headers ?? {})) checkHeader(answer.headers, name, value);
  if (typeof expected.text === "string") expect(answer.text).toBe(expected.text);
  else if (expected.text !== undefined) expect(answer.text).toMatch(expected.text);
  if ("body" in expected) checkBody(body, expected.body);
  for (const item of expected.fields === undefined ? [] : [body].flat()) {
    expect(Object.keys(item)).toEqual(expect.arrayContaining([...(expected.fields ?? [])]));
  }
}

function checkHeader(headers: Headers, name: string, expected: string | RegExp | null): void {
  const value = headers.get(name);
  if (expected instanceof RegExp) expect({ [name]: value }).toEqual({ [name]: expect.stringMatching(expected) });
  else expect({ [name]: value }).toEqual({ [name]: expected });
}

function checkBody(body: unknown, expected: unknown): void {
  if (isPlain(expected) || (Array.isArray(expected) && expected.length > 0)) expect(body).toMatchObject(expected);
  else expect(body).toEqual(expected);
}

/** The same value with `$name` replaced in every text; what is no plain object, list or text stays as it is. */
function filled<T>(value: T, known: Variables): T {
  if (typeof value === "string") return fill(value, known) as T;
  if (Array.isArray(value)) return value.map((item) => filled(item, known)) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, known)])) as T;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** `${…}` of job files stays. */
function fill(text: string, known: Variables): string {
  return text.replace(/\$([a-z]\w*)/g, (_, name: string) => savedAs(known, name));
}

function savedAs(known: Variables, name: string): string {
  const value = known[name];
  if (value === undefined) throw new Error(`the row says $${name}, which nothing saved`);
  return value;
}

function valueAt(body: Json, path: string): unknown {
  return path.split(".").reduce((value, part) => value?.[part], body);
}
