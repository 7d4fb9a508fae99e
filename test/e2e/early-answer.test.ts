/**
 * Request smuggling by a body that never comes. HAProxy 3.0 keeps an upstream
 * connection when an HTTP/2 client resets its stream after an early answer;
 * the next request's head would be taken for the rest of that body.
 *
 * @module-tag edge
 */
import { execa } from "execa";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { trustFile } from "../../scripts/checkout.ts";
import { FIRST_SANDBOX, SIGNED_DOMAIN, inLab } from "./lab.ts";
import { bootSpareEdge, removeSpareEdge, spareEdge } from "./spare-edge.ts";

const host = `${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);
const operator = "198.18.0.1";
let seen = "";
let stopUpstream: () => void;

beforeAll(async () => {
  const [file, ...args] = insideLab([
    process.execPath,
    ...[fixture("early-answers.ts"), operator, "4001"],
  ]);
  const upstream = execa(file, args, { reject: false, buffer: false });
  stopUpstream = () => {
    upstream.kill();
  };
  await new Promise<void>((resolve) => {
    upstream.stdout.on("data", (data: Buffer) => {
      seen += data.toString();
      resolve();
    });
  });
  await bootSpareEdge("signed", {
    access: "public",
    upstream: { mode: "daytona", url: `http://${operator}:4001` },
  });
});

afterAll(async () => {
  await removeSpareEdge();
  stopUpstream();
});

test.each([
  ["POST", "35"],
  ["POST", undefined],
  ["GET", "35"],
  ["GET", undefined],
])("%s with a body of %s bytes", async (method, length) => {
  seen = "";
  const rounds = 5;
  const { stdout, stderr } = await inLab([
    process.execPath,
    ...[fixture("reset-after-answer.ts"), host, spareEdge.ipv4, trustFile],
    ...[String(rounds), method, ...(length === undefined ? [] : [length])],
  ]);
  expect({ stdout, stderr }).toEqual({
    stdout: JSON.stringify(Array.from({ length: 2 * rounds }, () => 401)),
    stderr: "",
  });
  const heads = Array.from({ length: rounds }, (_, round) => [
    `head ${method} /reset-${String(round)} HTTP/1.1`,
    `head GET /next-${String(round)} HTTP/1.1`,
  ]).flat();
  // What the upstream printed may come later than the client's answers.
  await expect
    .poll(() => seen.split("\n").filter((line) => line !== ""))
    .toEqual(heads);
});
