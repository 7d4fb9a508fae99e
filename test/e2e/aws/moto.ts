/** AWS' stand-in: moto, as Debian 13 ships it, in a root of its own. */
import { execa } from "execa";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianRoot } from "../../../scripts/lab/debian-root.ts";
import { ensureImage } from "../../../scripts/lab/image.ts";
import { webAuthority } from "../../../scripts/lab/internet/certificates.ts";
import { awsHosts } from "../../../scripts/lab/internet/hosts.ts";
import { insideLab } from "../../../scripts/lab/namespaces.ts";
import { inLab } from "../lab.ts";

const packages = ["python3-flask", "python3-flask-cors", "python3-moto"];

const program = readFileSync(
  join(import.meta.dirname, "../fixtures/moto-server.py"),
);

/** Versions of the APIs that answer with XML. */
const queryVersions = {
  autoscaling: "2011-01-01",
  ec2: "2016-11-15",
  elasticloadbalancing: "2015-12-01",
  iam: "2010-05-08",
  monitoring: "2010-08-01",
};

export interface Moto {
  /** What a program needs to take it for AWS. */
  readonly environment: Readonly<Record<string, string>>;
  /** An operation of Secrets Manager, for example `GetSecretValue`. */
  secrets<T>(operation: string, request: object): Promise<T>;
  /** An operation of CloudWatch's logs, for example `GetLogEvents`. */
  logs<T>(operation: string, request: object): Promise<T>;
  /** An operation of Service Quotas, for example `RequestServiceQuotaIncrease`. */
  quotas<T>(operation: string, request: object): Promise<T>;
  /**
   * From now on it asks who calls, by signature and policy, or takes everybody
   * again.
   */
  askWhoCalls(ask: boolean): Promise<void>;
  /** An operation of a service that answers with XML, for example `AllocateAddress`. */
  query(
    service: keyof typeof queryVersions,
    operation: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Lays an object into a bucket, which is made. */
  putObject(
    bucket: string,
    key: string,
    content: Uint8Array,
    acl?: "private" | "public-read",
  ): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts it on the lab's operator side.
 * @param port of the lab's own loopback
 */
export async function startMoto(port: number): Promise<Moto> {
  const root = await ensureDebianRoot("moto", packages);
  const [file, ...args] = insideLab([
    ...["chroot", root, "python3", "-"],
    ...["-H", "127.0.0.1", "-p", String(port)],
  ]);
  const server = execa(file, args, {
    ...{ reject: false, all: true, input: program },
  });
  const url = `http://127.0.0.1:${String(port)}`;
  const { exitCode } = await inLab([
    ..."curl -sS -o /dev/null --retry 250 --retry-delay 1 --retry-all-errors".split(
      " ",
    ),
    `${url}/moto-api/`,
  ]);
  if (exitCode !== 0) {
    server.kill();
    throw new Error(`moto did not start: ${(await server).all}`);
  }
  const s3 = async (
    request: readonly string[],
    input: string | Uint8Array = "",
  ) => {
    const said = await inLab(
      [
        ...[
          "curl",
          "-sS",
          "--fail-with-body",
          "-H",
          signature("s3", "us-east-1"),
        ],
        ...request,
      ],
      { input },
    );
    if (said.exitCode !== 0) throw new Error(said.stdout + said.stderr);
  };
  const call = async <T>(service: string, target: string, request: object) => {
    const { stdout } = await inLab([
      ...["curl", "-sS", url, "-d", JSON.stringify(request)],
      ...["-H", `X-Amz-Target: ${target}`],
      ...["-H", "Content-Type: application/x-amz-json-1.1"],
      ...["-H", signature(service)],
    ]);
    // Some operations answer nothing.
    return JSON.parse(stdout || "{}") as T;
  };
  return {
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "stand-in",
      AWS_SECRET_ACCESS_KEY: "stand-in",
    },
    secrets: <T>(operation: string, request: object) =>
      call<T>("secretsmanager", `secretsmanager.${operation}`, request),
    logs: <T>(operation: string, request: object) =>
      call<T>("logs", `Logs_20140328.${operation}`, request),
    quotas: <T>(operation: string, request: object) =>
      call<T>("servicequotas", `ServiceQuotasV20190624.${operation}`, request),
    askWhoCalls: async (ask) => {
      // After how many requests it does.
      const count = ask ? "0" : "inf";
      await inLab([
        ...["curl", "-sS", `${url}/moto-api/reset-auth`, "-d", count],
        ...["-H", "Content-Type: text/plain"],
      ]);
    },
    query: async (service, operation, parameters) => {
      const query = new URLSearchParams({
        ...{ Action: operation, Version: queryVersions[service] },
        ...parameters,
      });
      const { stdout } = await inLab([
        ...["curl", "-sS", url, "-d", query.toString()],
        ...["-H", signature(service)],
      ]);
      return stdout;
    },
    putObject: async (bucket, key, content, acl = "private") => {
      const where = `${url}/${bucket}`;
      // In that region a bucket needs no word about its place.
      await s3(["-X", "PUT", where]);
      await s3(
        ["-T", "-", "-H", `x-amz-acl: ${acl}`, `${where}/${key}`],
        content,
      );
    },
    stop: async () => {
      server.kill();
      await server;
    },
  };
}

/** It reads the service's name and the region here, and checks nothing. */
function signature(service: string, region = "eu-central-1"): string {
  return `Authorization: AWS4-HMAC-SHA256 Credential=stand-in/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`;
}

/** A request about a lifecycle action, as Auto Scaling's stand-in saw it. */
export interface LifecycleRequest {
  readonly Action: string;
  readonly LifecycleHookName: string;
  readonly AutoScalingGroupName: string;
  readonly InstanceId: string;
  readonly LifecycleActionResult: string;
  /** What it was answered. */
  readonly status: number;
}

export interface AwsFront {
  /** What machines told Auto Scaling, in order. */
  lifecycleRequests(): readonly LifecycleRequest[];
  stop(): Promise<void>;
}

/** Serves it under AWS' own names, by HTTPS, where machines of the lab find it. */
export async function startAwsFront(moto: Moto): Promise<AwsFront> {
  const authority = await webAuthority((await ensureImage()).webCa);
  const { certificate, key } = await authority.issue(
    awsHosts.map(({ name }) => name),
  );
  const [file, ...args] = insideLab([
    process.execPath,
    join(import.meta.dirname, "../fixtures/aws-front.ts"),
    awsHosts[0]?.ipv4 ?? "",
    moto.environment.AWS_ENDPOINT_URL ?? "",
  ]);
  const front = execa(file, args, {
    reject: false,
    all: true,
    input: certificate + key,
  });
  let said = "";
  front.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await Promise.race([
    front.then(({ all }) => {
      throw new Error(`AWS' front did not start: ${all}`);
    }),
    new Promise((resolve) => {
      front.stdout.once("data", resolve);
    }),
  ]);
  return {
    lifecycleRequests: () =>
      said
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as LifecycleRequest),
    stop: async () => {
      front.kill();
      await front;
    },
  };
}
