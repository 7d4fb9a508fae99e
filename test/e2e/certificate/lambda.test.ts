/**
 * The certificate's function, as it is bundled for AWS, with moto as AWS.
 *
 * @module-tag surroundings
 * @module-tag aws
 * @module-tag certificate
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  certificateProblems,
  heldCertificate,
} from "../../../infra/certificate/held-certificate.ts";
import { lambdaProgram } from "../../../infra/certificate/lambda-program.ts";
import { certificateReport } from "../../../infra/machine/live-state.ts";
import { labSecrets } from "../../../scripts/lab/secrets.ts";
import { stackConfig } from "../../../scripts/stack.ts";
import { failAtCloudflare } from "../internet.ts";
import { inLab } from "../lab.ts";
import { type Moto, startMoto } from "../aws/moto.ts";

const names = ["*.lambda.defikit.net", "lambda.defikit.net"];
const prefix = "daytona-edge/test/";
const directory = mkdtempSync(join(tmpdir(), "daytona-edge-lambda-"));
const bundle = join(directory, "index.cjs");
let moto: Moto;

beforeAll(async () => {
  const program = lambdaProgram("lambda.ts");
  writeFileSync(bundle, program);
  console.log(`bundle: ${String(Math.round(program.length / 1000))} kB`);
  moto = await startMoto(5_555);
  // All but the credentials the function makes for itself.
  await moto.secrets("CreateSecret", {
    Name: `${prefix}certificate-credentials.json`,
  });
});

afterAll(async () => {
  await moto.stop();
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly log: string;
}

/** One call, in a process of its own as at a cold start. */
async function call(
  verb: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const { stdout, stderr } = await inLab(
    [
      process.execPath,
      join(import.meta.dirname, "../fixtures/lambda.ts"),
      ...[bundle, JSON.stringify({ verb })],
    ],
    {
      env: {
        ...moto.environment,
        CERTIFICATE_NAMES: names.join(","),
        CERTIFICATE_DIRECTORY: "https://acme.internal:14000/dir",
        CERTIFICATE_ZONE: stackConfig<{ zoneId: string }>("cloudflare").zoneId,
        CERTIFICATE_KEY_TYPE: "ecdsa-p256",
        CERTIFICATE_SECRETS: prefix,
        CLOUDFLARE_BASE_URL: "https://cloudflare.internal/client/v4",
        ...environment,
      },
    },
  );
  const lines = stdout.split("\n");
  try {
    const outcome = JSON.parse(lines.at(-1) ?? "") as Omit<Outcome, "log">;
    return { ...outcome, log: lines.slice(0, -1).join("\n") };
  } catch {
    throw new Error(`${stdout}\n${stderr}`);
  }
}

async function secret(document: string): Promise<string | undefined> {
  const { SecretString } = await moto.secrets<{ SecretString?: string }>(
    "GetSecretValue",
    { SecretId: `${prefix}${document}` },
  );
  return SecretString;
}

/** The figures that CloudWatch would take from the log. */
const figures = ({ log }: Outcome) =>
  log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ Name, CertificateRunSucceeded, CertificateDaysLeft }) => ({
      Name,
      CertificateRunSucceeded,
      hasDays: Number(CertificateDaysLeft) > 0,
    }));

test("is one file of at most 1 MB", () => {
  expect(lambdaProgram("lambda.ts").length).toBeLessThanOrEqual(1_000_000);
});

test("without credentials: said, and nothing is ordered", async () => {
  const { error } = await call("issue");
  expect(error).toContain("CLOUDFLARE_API_TOKEN is not set");
  expect(await secret("acme-order.json")).toBeUndefined();
  await moto.secrets("PutSecretValue", {
    SecretId: `${prefix}certificate-credentials.json`,
    SecretString: JSON.stringify({
      CLOUDFLARE_API_TOKEN: labSecrets().cloudflareToken,
    }),
  });
});

test("a verb that it does not know orders nothing", async () => {
  expect((await call("revoke")).error).toContain("verb");
});

test("the account, for CAA; found again the next time", async () => {
  const { result } = await call("account");
  expect(result).toEqual({
    account: expect.stringMatching(/^https:\/\/acme\.internal/) as unknown,
  });
  expect((await call("account")).result).toEqual(result);
});

test("a call that fails says why, counts as failed, and loses nothing", async () => {
  await failAtCloudflare({ count: 1, status: 403 });
  const outcome = await call("issue");
  expect(outcome.error).toContain("needs Zone / DNS / Edit on this zone");
  expect(figures(outcome)).toEqual([
    { Name: names[0], CertificateRunSucceeded: 0, hasDays: false },
  ]);
  const report = certificateReport.parse(
    (await secret(certificateReport.name)) ?? "",
  );
  expect(report.error).toBe(outcome.error);
  expect(await secret("acme-order.json")).toContain("order");
});

test("issues into its secrets; the next call keeps it, and shows no secret", async () => {
  const first = await call("issue");
  expect(first.result).toMatchObject({ action: "issued", names });
  expect(figures(first)).toEqual([
    { Name: names[0], CertificateRunSucceeded: 1, hasDays: true },
  ]);
  const held = heldCertificate.parse(
    JSON.parse((await secret("certificate.json")) ?? ""),
  );
  expect(certificateProblems(held, names, new Date())).toEqual([]);
  expect((await secret("acme-order.json"))?.trim()).toBe("");

  const next = await call("issue");
  expect(next.result).toMatchObject({ action: "kept", serial: held.serial });
  expect((await secret("certificate.json"))?.length).toBeGreaterThan(0);
  const said = first.log + next.log + JSON.stringify([first, next]);
  expect(said).not.toContain(labSecrets().cloudflareToken);
  expect(said).not.toContain("PRIVATE KEY");
});

test("a secret that somebody deleted is had back, and nothing is ordered", async () => {
  const SecretId = `${prefix}certificate.json`;
  await moto.secrets("DeleteSecret", { SecretId });
  expect(await secret("certificate.json")).toBeUndefined();
  expect((await call("issue")).result).toMatchObject({ action: "kept" });
  expect(await secret("certificate.json")).toBeDefined();
});

test("how long a cold start takes", async () => {
  const runs = [];
  for (let run = 0; run < 3; run++) runs.push(await call("issue"));
  console.log(
    runs
      .map(
        (run) =>
          run as Outcome & Record<"startMs" | "loadMs" | "runMs", number>,
      )
      .map(
        ({ startMs, loadMs, runMs }) =>
          `Node ${String(startMs)} ms, bundle ${String(loadMs)} ms, a kept certificate ${String(runMs)} ms`,
      )
      .join("\n"),
  );
  expect(runs.map(({ result }) => result?.action)).toEqual([
    "kept",
    "kept",
    "kept",
  ]);
});
