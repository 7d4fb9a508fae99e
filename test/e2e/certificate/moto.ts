/** AWS' stand-in: moto, as Debian 13 ships it, in a root of its own. */
import { execa } from "execa";
import { ensureDebianRoot } from "../../../scripts/lab/debian-root.ts";
import { insideLab } from "../../../scripts/lab/namespaces.ts";
import { inLab } from "../lab.ts";

const packages = ["python3-flask", "python3-flask-cors", "python3-moto"];
const port = 5_555;

/** It reads the service's name here, and checks nothing. */
const signature =
  "AWS4-HMAC-SHA256 Credential=stand-in/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=none";

export interface Moto {
  /** What a program needs to take it for AWS. */
  readonly environment: Readonly<Record<string, string>>;
  /** An operation of Secrets Manager, for example `GetSecretValue`. */
  secrets<T>(operation: string, request: object): Promise<T>;
  stop(): Promise<void>;
}

/** Starts it on the lab's operator side. */
export async function startMoto(): Promise<Moto> {
  const root = await ensureDebianRoot("moto", packages);
  const [file, ...args] = insideLab([
    ...["chroot", root, "python3", "-m", "moto.server"],
    ...["-H", "127.0.0.1", "-p", String(port)],
  ]);
  const server = execa(file, args, { reject: false, all: true });
  const url = `http://127.0.0.1:${String(port)}`;
  const { exitCode } = await inLab([
    ..."curl -sS -o /dev/null --retry 60 --retry-delay 1 --retry-all-errors".split(
      " ",
    ),
    `${url}/moto-api/`,
  ]);
  if (exitCode !== 0) {
    server.kill();
    throw new Error(`moto did not start: ${(await server).all}`);
  }
  return {
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "stand-in",
      AWS_SECRET_ACCESS_KEY: "stand-in",
    },
    secrets: async <T>(operation: string, request: object) => {
      const { stdout } = await inLab([
        ...["curl", "-sS", url, "-d", JSON.stringify(request)],
        ...["-H", `X-Amz-Target: secretsmanager.${operation}`],
        ...["-H", "Content-Type: application/x-amz-json-1.1"],
        ...["-H", `Authorization: ${signature}`],
      ]);
      return JSON.parse(stdout) as T;
    },
    stop: async () => {
      server.kill();
      await server;
    },
  };
}
