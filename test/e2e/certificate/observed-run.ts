/**
 * Loaded before the certificate's program (node --import): writes down each
 * request that it makes, ends it without a word after one of them, and can set
 * its clock, or hide that the authority offers renewal windows. What it does is
 * all the program's own.
 */
import { appendFileSync } from "node:fs";

const { CALLS_FILE, DIE_AT, CLOCK_AHEAD_DAYS, WITHOUT_ARI } = process.env;
const fetchTruly = globalThis.fetch;
let calls = 0;

globalThis.fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : input.toString();
  const dying = DIE_AT?.match(/^(before|after) ([0-9]+)$/);
  const mine = ++calls;
  const isLast = dying !== undefined && mine === Number(dying?.[2]);
  if (isLast && dying?.[1] === "before") process.kill(process.pid, "SIGKILL");
  const response = await fetchTruly(input, init);
  if (CALLS_FILE) {
    const line = [init?.method ?? "GET", url, response.status].join(" ");
    appendFileSync(CALLS_FILE, `${line}\n`);
  }
  if (isLast) process.kill(process.pid, "SIGKILL");
  if (WITHOUT_ARI && url.endsWith("/dir")) {
    const directory = (await response.json()) as Record<string, unknown>;
    delete directory.renewalInfo;
    return Response.json(directory);
  }
  return response;
};

if (CLOCK_AHEAD_DAYS) {
  const ahead = Number(CLOCK_AHEAD_DAYS) * 24 * 60 * 60_000;
  const nowTruly = Date.now;
  const DateTruly = Date;
  DateTruly.now = () => nowTruly() + ahead;
  globalThis.Date = class extends DateTruly {
    constructor(...parts: [] | [string | number | Date]) {
      if (parts.length === 0) super(DateTruly.now());
      else super(parts[0]);
    }
  } as DateConstructor;
}
