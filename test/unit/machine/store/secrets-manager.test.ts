import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, test } from "vitest";
import { SecretsManagerStore } from "../../../../infra/machine/store/secrets-manager.ts";

const prefix = "daytona-edge/t/";
let secrets: Map<string, string | undefined>;
let denied: Set<string>;
let mayMake: boolean;

/**
 * Secrets Manager as a role meets it whose permissions are for names with the
 * six characters at their end: what is not there is not its to ask for. (moto,
 * which the function's own suite runs against, checks no permissions.)
 */
const client = {
  send: (command: unknown) => Promise.resolve().then(() => answer(command)),
} as unknown as SecretsManagerClient;

function answer(command: unknown): object {
  if (command instanceof CreateSecretCommand) {
    const { Name = "", SecretString } = command.input;
    if (!mayMake) throw accessDenied(`may not make ${Name}`);
    if (secrets.has(Name)) {
      throw new ResourceExistsException({ message: "exists", $metadata: {} });
    }
    secrets.set(Name, SecretString);
    return {};
  }
  const isPut = command instanceof PutSecretValueCommand;
  if (!isPut && !(command instanceof GetSecretValueCommand)) {
    throw new Error("unexpected command");
  }
  const { SecretId = "" } = command.input;
  if (!secrets.has(SecretId) || denied.has(SecretId)) {
    throw accessDenied(`not authorized on ${SecretId}`);
  }
  if (isPut) secrets.set(SecretId, command.input.SecretString);
  return { SecretString: secrets.get(SecretId) };
}

function accessDenied(message: string): Error {
  return Object.assign(new Error(message), { name: "AccessDeniedException" });
}

const store = new SecretsManagerStore(client, prefix);

beforeEach(() => {
  secrets = new Map();
  denied = new Set();
  mayMake = true;
});

describe("a secret that is not there", () => {
  test("is no document, and is there for the first one", async () => {
    expect(await store.read("a.json")).toBeUndefined();
    await store.write("a.json", "content");
    expect(await store.read("a.json")).toBe("content");
  });

  test("is made when it is written before it was asked for", async () => {
    await store.write("a.json", "content");
    expect(secrets.get(`${prefix}a.json`)).toBe("content");
  });
});

test("who may neither read nor make it is told of reading", async () => {
  mayMake = false;
  await expect(store.read("a.json")).rejects.toThrow(
    `Cannot read the secret ${prefix}a.json: AccessDeniedException: not authorized on`,
  );
});

describe("a secret that is there, and denied", () => {
  beforeEach(() => {
    secrets.set(`${prefix}a.json`, "kept");
    denied.add(`${prefix}a.json`);
  });

  test("is not taken for none: an account would be lost", async () => {
    await expect(store.read("a.json")).rejects.toThrow(
      "Cannot read the secret daytona-edge/t/a.json: AccessDeniedException: not authorized",
    );
  });

  test("is not overwritten", async () => {
    await expect(store.write("a.json", "other")).rejects.toThrow(
      "Cannot write the secret daytona-edge/t/a.json: AccessDeniedException",
    );
    expect(secrets.get(`${prefix}a.json`)).toBe("kept");
  });
});

test("a document that was removed is none, and can be written again", async () => {
  await store.write("a.json", "content");
  await store.remove("a.json");
  expect(await store.read("a.json")).toBeUndefined();
  await store.write("a.json", "again");
  expect(await store.read("a.json")).toBe("again");
});
