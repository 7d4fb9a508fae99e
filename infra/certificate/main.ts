/**
 * Here is all that makes certificates: for the edge from a public authority,
 * for the gateway from its own (egress-ca.ts). Nothing here knows of Pulumi,
 * so that a timer or a function in the cloud can run it as well.
 *
 * This file: the command that `pulumi up` runs, and a timer after it. One JSON
 * line on standard output says what there is now; lines for people go to
 * standard error.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { relative, resolve } from "node:path";
import { ensureAccount } from "./account.ts";
import { cloudflareTxtRecords } from "./cloudflare-dns.ts";
import { DirectoryStore } from "./directory-store.ts";
import { challengeName, dns01 } from "./dns01.ts";
import { ensureCertificate } from "./ensure.ts";
import { type KeyType, keyTypes } from "./held-certificate.ts";
import { nameServers, waitForRecord } from "./name-servers.ts";

interface AccountOptions {
  readonly directory: string;
  readonly account: string;
  readonly contact: string;
}

interface IssueOptions extends AccountOptions {
  readonly names: string[];
  readonly store: string;
  readonly zone: string;
  readonly challengeAlias?: string;
  readonly profile: string;
  readonly keyType: KeyType;
  readonly cloudflareBaseUrl: string;
}

/** With dashes and, as in _acme-challenge, underscores inside. */
const dnsName = /^([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]+$/;

/** No authority takes longer, in ms. */
const limit = 10 * 60_000;

const program = new Command("infra/certificate/main.ts")
  .description(
    "Certificates by ACME (RFC 8555), with dns-01 at Cloudflare; safe to run again and to kill.",
  )
  .showHelpAfterError();

/** Secrets come by the environment: arguments show in the process list. */
const externalAccountHelp =
  "ACME_EAB_KID, ACME_EAB_HMAC_KEY  external account, if the server asks for one";

addAccountOptions(program.command("account"))
  .description(
    "Registers the account if it is new, and says its URL, for CAA records.",
  )
  .addHelpText("after", `\nEnvironment:\n  ${externalAccountHelp}`)
  .action(register);

addAccountOptions(program.command("issue"))
  .description("Gets a certificate, if one is due.")
  .requiredOption(
    "--names <names>",
    "names, separated by commas, for example *.example.net,example.net",
    parseNames,
  )
  .requiredOption("--store <path>", "directory where the certificate is kept")
  .requiredOption(
    "--zone <id>",
    "id of the Cloudflare zone with the names, or with the alias",
  )
  .option(
    "--challenge-alias <name>",
    "name that _acme-challenge of the names leads to by CNAME",
    parseName,
  )
  .option(
    "--profile <name>",
    'profile to order when the server offers it; "" for its default',
    "tlsserver",
  )
  .addOption(
    new Option("--key-type <type>", "kind of key")
      .choices(keyTypes)
      .default(keyTypes[0]),
  )
  .addOption(
    new Option("--cloudflare-base-url <url>", "address of Cloudflare's API")
      .env("CLOUDFLARE_BASE_URL")
      .default("https://api.cloudflare.com/client/v4"),
  )
  .addHelpText(
    "after",
    `
Environment:
  CLOUDFLARE_API_TOKEN             token with Zone / DNS / Edit on the zone
  CLOUDFLARE_CHALLENGE_API_TOKEN   goes before it, for a zone with the alias only
  ${externalAccountHelp}`,
  )
  .action(issue);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  say(messageOf(error));
}

function addAccountOptions(command: Command): Command {
  return command
    .requiredOption(
      "--directory <url>",
      "directory of the ACME server",
      parseUrl,
    )
    .requiredOption(
      "--account <path>",
      "directory where the account's key is kept; no machine may read it",
    )
    .option("--contact <e-mail>", "address for the ACME account", "");
}

async function register(options: AccountOptions): Promise<void> {
  const account = await ensureAccount({
    ...options,
    externalAccount: externalAccount(),
    accountStore: directoryStore(resolve(options.account)),
    signal: stopSignal(),
  });
  console.log(JSON.stringify({ account }));
}

async function issue(options: IssueOptions): Promise<void> {
  const store = resolve(options.store);
  const account = resolve(options.account);
  if (contains(store, account)) {
    throw new Error(
      `--account ${account} lies in --store ${store}, which machines read; the account's key must not, so choose another directory`,
    );
  }
  const signal = stopSignal();
  const alias = options.challengeAlias;
  const { action, certificate } = await ensureCertificate({
    config: {
      ...options,
      profile: options.profile === "" ? undefined : options.profile,
      externalAccount: externalAccount(),
    },
    store: directoryStore(store),
    accountStore: directoryStore(account),
    challenge: dns01({
      records: cloudflareTxtRecords({
        zoneId: options.zone,
        token: cloudflareToken(),
        baseUrl: options.cloudflareBaseUrl,
      }),
      alias,
      visible: async (name, values) => {
        const servers = await nameServers(name);
        await waitForRecord(servers, "TXT", name, values, { signal });
        if (alias !== undefined) await waitForAlias(options, alias, signal);
      },
      log: say,
    }),
    now: () => new Date(),
    log: say,
    signal,
  });
  const { serial, names, notAfter } = certificate;
  console.log(JSON.stringify({ action, serial, names, notAfter }));
}

/** The authority comes by the names' own zone, which may be new there too. */
async function waitForAlias(
  { names }: IssueOptions,
  alias: string,
  signal: AbortSignal,
): Promise<void> {
  for (const name of new Set(names.map(challengeName))) {
    const servers = await nameServers(name);
    await waitForRecord(servers, "CNAME", name, [alias], { signal });
  }
}

function directoryStore(path: string): DirectoryStore {
  return new DirectoryStore(path, {
    onWait: () => {
      say(`another run works on ${path}; waiting for it`);
    },
  });
}

/** Aborts at Ctrl-C, a stop, or the limit, so that there is time to clean up. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (why: string) => {
    controller.abort(
      new Error(`${why}; run again: the work goes on where it stands`),
    );
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      stop(`stopped by ${name}`);
    });
  }
  setTimeout(() => {
    stop(`not done after ${String(limit / 60_000)} minutes`);
  }, limit).unref();
  return controller.signal;
}

function externalAccount() {
  const keyId = process.env.ACME_EAB_KID;
  const hmacKey = process.env.ACME_EAB_HMAC_KEY;
  return keyId && hmacKey ? { keyId, hmacKey } : undefined;
}

/** The challenge's own zone may have a token of its own. */
function cloudflareToken(): string {
  const token =
    process.env.CLOUDFLARE_CHALLENGE_API_TOKEN ??
    process.env.CLOUDFLARE_API_TOKEN;
  if (token) return token;
  throw new Error(
    "CLOUDFLARE_API_TOKEN is not set; it must hold a Cloudflare API token with Zone / DNS / Edit on the zone",
  );
}

function contains(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way === "" || !/^\.\.(\/|$)/.test(way);
}

function parseNames(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!dnsName.test(name.replace(/^\*\./, ""))) {
      throw new InvalidArgumentError(
        `"${name}" is not a lower-case DNS name, with or without "*." in front.`,
      );
    }
  }
  return names;
}

function parseName(name: string): string {
  if (dnsName.test(name)) return name;
  throw new InvalidArgumentError(`"${name}" is not a lower-case DNS name.`);
}

function parseUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === "https:") return text;
  throw new InvalidArgumentError("Give an https URL.");
}

/** A wait that was stopped says only that; why, is in its cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stopped = error.name === "AbortError" && error.cause instanceof Error;
  return stopped ? messageOf(error.cause) : error.message;
}

function say(line: string): void {
  console.error(`certificate: ${line}`);
}
