import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { cloudflareTxtRecords } from "../../../infra/certificate/cloudflare-dns.ts";

const name = "_acme-challenge.example.net";
const mark = "daytona-edge dns-01 challenge";

interface TxtRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly comment?: string | null;
}

interface Refusal {
  readonly method: string;
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

let stored: TxtRecord[];
let refusal: Refusal | undefined;

beforeEach(() => {
  stored = [];
  refusal = undefined;
});

/** TXT records at a stand-in of Cloudflare's API, which holds `stored`. */
async function txtRecords() {
  const server = createServer((request, response) => {
    void (async () => {
      const answer = (status: number, body: object) => {
        response.writeHead(status).end(JSON.stringify(body));
      };
      const done = (result: unknown) => {
        answer(200, { success: true, errors: [], messages: [], result });
      };
      if (refusal && request.method === refusal.method) {
        const { status, code, message } = refusal;
        const errors = [{ code, message }];
        answer(status, { success: false, errors, messages: [], result: null });
      } else if (request.headers.authorization !== "Bearer token") {
        answer(403, { success: false, errors: [], result: null });
      } else if (request.method === "POST") {
        const record = (await json(request)) as Omit<TxtRecord, "id">;
        stored.push({ ...record, id: String(Math.random()) });
        done(record);
      } else if (request.method === "DELETE") {
        const id = request.url?.split("/").at(-1);
        stored = stored.filter((record) => record.id !== id);
        done({ id });
      } else {
        done(stored);
      }
    })();
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return cloudflareTxtRecords({
    zoneId: "zone",
    token: "token",
    baseUrl: `http://127.0.0.1:${String(port)}/client/v4`,
    patience: { firstWait: 1 },
  });
}

const contents = () => stored.map(({ content }) => content);

test("keeps exactly the values asked for", async () => {
  const records = await txtRecords();
  await records.set(name, ["a", "b"]);
  expect(contents()).toEqual(['"a"', '"b"']);
  const [, kept] = stored;
  await records.set(name, ["b", "c"]);
  expect(contents()).toEqual(['"b"', '"c"']);
  expect(stored[0]).toBe(kept);
  await records.set(name, []);
  expect(stored).toEqual([]);
});

test("leaves alone what it did not write", async () => {
  const others: TxtRecord[] = [
    { id: "1", type: "TXT", name, content: "x", comment: null },
    { id: "2", type: "TXT", name, content: "x", comment: "another client" },
    {
      id: "3",
      type: "TXT",
      name: "other.example",
      content: "x",
      comment: mark,
    },
    { id: "4", type: "CNAME", name, content: "x", comment: mark },
  ];
  stored = [...others, { ...others[0], id: "5", comment: mark } as TxtRecord];
  await (await txtRecords()).set(name, []);
  expect(stored).toEqual(others);
});

test("takes content with and without quotes for the same", async () => {
  stored = [{ id: "1", type: "TXT", name, content: "a", comment: mark }];
  await (await txtRecords()).set(name, ["a"]);
  expect(contents()).toEqual(["a"]);
});

test("is content when the work was done before", async () => {
  const records = await txtRecords();
  refusal = { method: "POST", status: 400, code: 81058, message: "identical" };
  await records.set(name, ["a"]);
  stored = [{ id: "1", type: "TXT", name, content: "a", comment: mark }];
  refusal = { method: "DELETE", status: 404, code: 81044, message: "gone" };
  await records.set(name, []);
});

test("passes on why Cloudflare refuses, and what to do", async () => {
  const records = await txtRecords();
  refusal = {
    method: "GET",
    status: 403,
    code: 10000,
    message: "Authentication error",
  };
  await expect(records.set(name, [])).rejects.toThrow(
    `Cloudflare refused to list the TXT records of ${name}: Authentication error (10000), HTTP 403; CLOUDFLARE_API_TOKEN needs Zone / DNS / Edit on this zone`,
  );
});
