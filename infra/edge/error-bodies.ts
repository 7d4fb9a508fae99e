/**
 * The bodies of the edge's own errors as maps for HAProxy, which can choose
 * between JSON and a page only by looking their pieces up (errors/body.lf):
 * the templates are cut at their placeholders.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { StackConfig } from "../config/parse.ts";

/** What errors/body.lf prints between the pieces, in its order. */
const slots = [
  "title",
  "code",
  "title",
  "message",
  "advice",
  "sandbox",
  "port",
  "requestId",
] as const;

/** The slots that are texts of an error; the others are values of a request. */
const textSlots = slots.slice(0, 5) as (
  "title" | "code" | "message" | "advice"
)[];

interface Texts {
  readonly title: string;
  readonly message: string;
  readonly advice: string;
}

interface ErrorTexts extends Texts {
  readonly status: number;
  /** Said when no rule names a code: the status alone means this. */
  readonly default?: boolean;
  /** What differs in this mode of access. */
  readonly daytona?: Partial<Texts>;
}

const directory = join(import.meta.dirname, "errors");
const read = (name: string) => readFileSync(join(directory, name), "utf8");

/** By what haproxy.cfg calls the format: what is no page has no name there. */
const formats = {
  html: read("page.html"),
  "": JSON.stringify(JSON.parse(read("error.json"))),
};
const texts = parse(read("texts.yaml")) as Record<string, ErrorTexts>;

/** Every code of the contract, with its status. */
export const errorCodes: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(texts).map(([code, { status }]) => [code, status]),
);

/** The code of an error by its status and what a rule called it: `403.port_denied`, `404.`. */
export function errorCodeMap(): string {
  return Object.entries(texts)
    .flatMap(([code, error]) =>
      keysOf(code, error).map((key) => [key, code] as const),
    )
    .map(row)
    .join("");
}

function keysOf(code: string, error: ErrorTexts): string[] {
  const names = [code, ...(error.default ? [""] : [])];
  return names.map((name) => `${String(error.status)}.${name}`);
}

/** The pieces of both templates: `1.html` to `9.html`, and `1.` to `9.` for JSON. */
export function errorPageMap(): string {
  return Object.entries(formats)
    .flatMap(([format, template]) =>
      pieces(template).map(
        (piece, index) => [`${String(index + 1)}.${format}`, piece] as const,
      ),
    )
    .map(row)
    .join("");
}

/** What each error says in each slot of each format: `401.token_missing.html.1`. */
export function errorTextMap(access: StackConfig["access"]): string {
  return Object.entries(texts)
    .flatMap(([code, error]) => {
      const said = {
        ...error,
        code,
        ...(access === "daytona" ? error.daytona : {}),
      };
      return keysOf(code, error).flatMap((key) =>
        Object.entries(formats).flatMap(([format, template]) =>
          textSlots.map((slot, index) => {
            const isUsed = taken(template)[index] === true;
            const text = isUsed ? escape(said[slot], format) : "";
            const name = `${key}.${format}.${String(index + 1)}`;
            return [name, text] as const;
          }),
        ),
      );
    })
    .map(row)
    .join("");
}

/** One line of a map. What is empty is left out: HAProxy then prints nothing. */
function row([key, value]: readonly [string, string]): string {
  return value === "" ? "" : `${key} ${value}\n`;
}

/** Which slots a template uses: its placeholders must come in their order. */
function taken(template: string): boolean[] {
  const named = [...template.matchAll(/\{\{(\w+)\}\}/g)].map(
    ([, name]) => name,
  );
  const used = slots.map((slot) => {
    if (named[0] !== slot) return false;
    named.shift();
    return true;
  });
  if (named.length > 0) {
    throw new Error(
      `A template of an error has {{${String(named[0])}}} where errors/body.lf prints no such thing; the order is ${slots.join(", ")}`,
    );
  }
  return used;
}

/** A template on one line, cut at its placeholders; one piece more than slots. */
function pieces(template: string): string[] {
  const line = template.replaceAll(/\n\s*/g, (gap, offset: number) =>
    // Between two words a line's end is a blank.
    /\w/.test(template[offset - 1] ?? "") &&
    /\w/.test(template[offset + gap.length] ?? "")
      ? " "
      : "",
  );
  const texts = line.split(/\{\{\w+\}\}/);
  const all = [texts.shift() ?? ""];
  for (const isUsed of taken(template)) {
    all.push(isUsed ? (texts.shift() ?? "") : "");
  }
  return all;
}

function escape(text: string, format: string): string {
  return format === "html"
    ? text
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
    : JSON.stringify(text).slice(1, -1);
}
