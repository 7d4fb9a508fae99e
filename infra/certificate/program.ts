/**
 * Here is all that makes certificates: for the edge from a public authority,
 * for the gateway from its own (egress-ca.ts). Nothing here knows of Pulumi,
 * so that a timer or a function in the cloud can run it as well.
 *
 * This file: the commands that `pulumi up` runs, and a timer after it. One JSON
 * line on standard output says what there is now; lines for people go to
 * standard error.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { relative, resolve } from "node:path";
import { ensureAccount, findAccount } from "./account.ts";
import { cloudflareChallenge } from "./cloudflare-challenge.ts";
import { cloudflareApi, readCredentials } from "./credentials.ts";
import { DirectoryStore } from "../machine/store/directory.ts";
import { ensureCertificate } from "./ensure.ts";
import { type KeyType, keyTypes } from "./held-certificate.ts";

interface AccountOptions {
  readonly directory: string;
  readonly account: string;
  readonly contact: string;
}

interface IssueOptions extends AccountOptions {
  readonly check?: true;
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

const credentials = readCredentials(process.env);

/** No authority takes longer, in ms. */
const limit = 10 * 60_000;

const program = new Command("infra/certificate/main.ts")
  .description(
    "Certificates by ACME (RFC 8555), with dns-01 at Cloudflare; safe to run again and to kill.",
  )
  .showHelpAfterError("(--help shows all options)");

/** Secrets come by the environment: arguments show in the process list. */
const externalAccountHelp =
  "ACME_EAB_KID, ACME_EAB_HMAC_KEY  external account, if the server asks for one";

addAccountOptions(program.command("account"))
  .description(
    "Registers the account if it is new, and says its URL, for CAA records.",
  )
  .addHelpText("after", `\nEnvironment:\n  ${externalAccountHelp}`)
  .action(register);

addAccountOptions(program.command("find-account"))
  .description(
    "Says the account's URL, or null where the authority knows none of our key. Changes nothing.",
  )
  .action(find);

addAccountOptions(program.command("issue"))
  .description("Gets a certificate, if one is due.")
  .addOption(
    needed(
      "--names <names>",
      "names, separated by commas, for example *.example.net,example.net",
    ).argParser(parseNames),
  )
  .addOption(
    needed("--store <path>", "directory where the certificate is kept"),
  )
  .addOption(
    needed(
      "--zone <id>",
      "id of the Cloudflare zone with the names, or with the alias",
    ),
  )
  .addOption(
    named(
      "--challenge-alias <name>",
      "name that _acme-challenge of the names leads to by CNAME",
    ).argParser(parseName),
  )
  .addOption(
    named(
      "--profile <name>",
      'profile to order when the server offers it; "" for its default',
    ).default("tlsserver"),
  )
  .addOption(
    named("--key-type <type>", "kind of key")
      .choices(keyTypes)
      .default(keyTypes[0]),
  )
  .addOption(
    new Option("--cloudflare-base-url <url>", "address of Cloudflare's API")
      .env("CLOUDFLARE_BASE_URL")
      .argParser(parseUrl)
      .default(cloudflareApi),
  )
  .option("--check", "only see whether the options are right")
  .addHelpText(
    "after",
    `
Environment:
  CLOUDFLARE_API_TOKEN             token with Zone / DNS / Edit on the zone
  ${externalAccountHelp}`,
  )
  .action(issue);

/** Runs what the command line says; a failure is told, and is the exit code. */
export async function runProgram(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = 1;
    say(messageOf(error));
  }
}

/** An option that a unit's environment can give: --key-type is CERTIFICATE_KEY_TYPE. */
function named(flags: string, description: string): Option {
  const name = flags.replace(/^--| .*$/g, "");
  return new Option(flags, description).env(
    `CERTIFICATE_${name.toUpperCase().replaceAll("-", "_")}`,
  );
}

function needed(flags: string, description: string): Option {
  return named(flags, description).makeOptionMandatory();
}

function addAccountOptions(command: Command): Command {
  return command
    .addOption(
      needed("--directory <url>", "directory of the ACME server").argParser(
        parseUrl,
      ),
    )
    .addOption(
      needed(
        "--account <path>",
        "directory where the account's key is kept; no edge may read it",
      ),
    )
    .addOption(
      named("--contact <e-mail>", "address for the ACME account").default(""),
    );
}

async function register(options: AccountOptions): Promise<void> {
  const account = await ensureAccount({
    ...options,
    externalAccount: credentials.externalAccount,
    accountStore: directoryStore(resolve(options.account)),
    signal: stopSignal(),
  });
  console.log(JSON.stringify({ account }));
}

async function find({ directory, account }: AccountOptions): Promise<void> {
  const store = directoryStore(resolve(account));
  const found = await findAccount(directory, store);
  console.log(JSON.stringify({ account: found ?? null }));
}

async function issue(options: IssueOptions): Promise<void> {
  const store = resolve(options.store);
  const account = resolve(options.account);
  if (contains(store, account)) {
    throw new Error(
      `--account ${account} lies in --store ${store}, which machines read; the account's key must not, so choose another directory`,
    );
  }
  if (options.check) return;
  const signal = stopSignal();
  const { action, certificate } = await ensureCertificate({
    config: {
      ...options,
      profile: options.profile === "" ? undefined : options.profile,
      externalAccount: credentials.externalAccount,
    },
    store: directoryStore(store),
    accountStore: directoryStore(account),
    challenge: cloudflareChallenge({
      names: options.names,
      zoneId: options.zone,
      token: credentials.cloudflareToken(),
      baseUrl: options.cloudflareBaseUrl,
      alias: options.challengeAlias,
      log: say,
      signal,
    }),
    now: () => new Date(),
    log: say,
    signal,
  });
  const { serial, names, notAfter } = certificate;
  console.log(JSON.stringify({ action, serial, names, notAfter }));
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
