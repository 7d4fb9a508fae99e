/** Upstream `direct`: the edge resolves the sandbox itself, as the request's nginx example does. */
import { execa } from "execa";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { insideLab } from "../../scripts/lab/namespaces.ts";
import { DOMAIN, FIRST_SANDBOX, labCurl, labExec, sandboxExec } from "./lab.ts";

const metadata = "11111111-2222-4333-8444-555555555555";
const edge = (command: string) => labExec("edge", ["sh", "-ec", command]);
const etc = "/etc/daytona-edge/edge";
let stopResolver: () => void;

/** A restart would drain for minutes; nothing here needs that. */
const restart =
  "systemctl kill --signal=KILL daytona-edge; sleep 0.2; systemctl restart daytona-edge; sleep 2";

beforeAll(async () => {
  const { result } = await sandboxExec(FIRST_SANDBOX, "hostname -I");
  const address = result.split(" ")[0] ?? "";
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/sandbox-dns.ts"),
    "198.18.0.1",
    "5300",
    `${FIRST_SANDBOX}=${address}`,
    `${metadata}=169.254.169.254`,
  ]);
  const resolver = execa(file, args, { reject: false });
  stopResolver = () => {
    resolver.kill();
  };
  await new Promise((resolve) => resolver.stdout.once("data", resolve));
  await edge(
    `cp ${etc}/env /run/env; sed -i 's/^EDGE_UPSTREAM=.*/EDGE_UPSTREAM=direct/; s/^EDGE_ACCESS=.*/EDGE_ACCESS=public/; s/^EDGE_RESOLVER=.*/EDGE_RESOLVER=198.18.0.1:5300/' ${etc}/env; echo 172.20.0.0/16 >${etc}/maps/networks.acl; ip route replace 172.20.0.0/16 via 198.18.0.3; ${restart}`,
  );
});

afterAll(async () => {
  await edge(
    `cp /run/env ${etc}/env; : >${etc}/maps/networks.acl; ip route delete 172.20.0.0/16; ${restart}`,
  );
  stopResolver();
  const { exitCode } = await labCurl([
    "-f",
    `https://${FIRST_SANDBOX}-3000.${DOMAIN}`,
  ]);
  expect(exitCode).toBe(0);
});

const ask = async (id: string, path = "/") => {
  const { stdout } = await labCurl([
    "-4",
    "-w",
    "\n%{http_code}",
    `https://${id}-3000.${DOMAIN}${path}`,
  ]);
  const [body = "", status = ""] = stdout.split(/\n(?=\d+$)/);
  return { status, body };
};

test("reaches the application, which sees its own public name", async () => {
  const { status, body } = await ask(FIRST_SANDBOX, "/headers");
  expect(status).toBe("200");
  const { headers } = JSON.parse(body) as { headers: Record<string, string> };
  const host = `${FIRST_SANDBOX}-3000.${DOMAIN}`;
  expect(headers).toMatchObject({
    host,
    "x-forwarded-host": host,
    "x-forwarded-for": "198.18.0.1",
    "x-real-ip": "198.18.0.1",
  });
});

test("an unknown sandbox is unreachable", async () => {
  const { status, body } = await ask("22222222-2222-4333-8444-555555555555");
  expect(status).toBe("503");
  expect(body).toContain('"sandbox_unreachable"');
});

test("a name that leads out of the sandboxes' networks is not dialled", async () => {
  const { status, body } = await ask(metadata);
  expect(status).toBe("503");
  expect(body).toContain('"sandbox_unreachable"');
  // Refused by the proxy itself, before any connection.
  const { stdout } = await edge(
    "journalctl --no-pager -o cat -u daytona-edge -n 1",
  );
  expect(JSON.parse(stdout)).toMatchObject({
    sandbox: metadata,
    connectMs: -1,
    end: "PR",
  });
});
