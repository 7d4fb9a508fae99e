/**
 * An ACME server that misbehaves as told, for what a real one cannot be made to
 * show. It checks no signature and validates no name; Pebble does in the lab.
 */
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export interface AcmeRequest {
  /** Path, without its slash: directory, nonce, account, order, … */
  readonly path: string;
  /** What was signed; `undefined` for a read. */
  readonly payload: Record<string, unknown> | undefined;
  /** How many requests for this path came before. */
  readonly before: number;
}

export type Misbehaviour = (
  request: AcmeRequest,
  url: string,
) => Answer | undefined;

export interface AcmeServer {
  readonly url: string;
  readonly directory: string;
  readonly requests: AcmeRequest[];
}

/** @param misbehaviour answers instead of the server when it returns something. */
export async function acmeServer(
  misbehaviour: Misbehaviour = () => undefined,
): Promise<AcmeServer> {
  const requests: AcmeRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const path = (incoming.url ?? "").slice(1);
      const payload = await signedPayload(incoming);
      const before = requests.filter((one) => one.path === path).length;
      const request = { path, payload, before };
      requests.push(request);
      const { status, headers, body } =
        misbehaviour(request, url) ?? usual(path, url);
      outgoing.writeHead(status, { "replay-nonce": "n", ...headers });
      outgoing.end(typeof body === "string" ? body : JSON.stringify(body));
    })();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${String(port)}`;
  return { url, directory: `${url}/directory`, requests };
}

/** A refusal as in RFC 8555, 6.7. */
export function problem(
  type: string,
  status: number,
  detail: string,
  more: object = {},
): Answer {
  const body = {
    type: `urn:ietf:params:acme:error:${type}`,
    status,
    detail,
    ...more,
  };
  return { status, body };
}

function usual(path: string, url: string): Answer {
  switch (path) {
    case "directory": {
      const [newNonce, newAccount, newOrder] = [
        "nonce",
        "account",
        "order",
      ].map((resource) => `${url}/${resource}`);
      return { status: 200, body: { newNonce, newAccount, newOrder } };
    }
    case "nonce":
      return { status: 200 };
    case "account":
      return {
        status: 200,
        headers: { location: `${url}/account/1` },
        body: { status: "valid" },
      };
    default:
      return problem("malformed", 404, `nothing at ${path}`);
  }
}

async function signedPayload(
  incoming: IncomingMessage,
): Promise<AcmeRequest["payload"]> {
  if (incoming.method !== "POST") return undefined;
  const { payload } = (await json(incoming)) as { payload: string };
  if (payload === "") return undefined;
  const text = Buffer.from(payload, "base64url").toString();
  return JSON.parse(text) as Record<string, unknown>;
}
