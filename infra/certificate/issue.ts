/** Gets a certificate: order, proof of control, signature, check. */
import { accountKey } from "./account.ts";
import { AcmeClient, type ExternalAccount } from "./acme.ts";
import { AcmeProblem } from "./acme-problem.ts";
import type { AcmeChallenge, Authorization, Order } from "./acme-resources.ts";
import type { WantedCertificate } from "./decide.ts";
import type { Challenge, ChallengeTask } from "./dns01.ts";
import {
  type HeldCertificate,
  certificateProblems,
  holdCertificate,
} from "./held-certificate.ts";
import { type OrderArgs, forgetOrder, openOrder } from "./order.ts";
import { signingRequest } from "./signing-request.ts";

export interface IssueArgs extends OrderArgs {
  readonly contact?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
  readonly challenge: Challenge;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws AcmeProblem with the authority's own words when it refuses.
 */
export async function issueCertificate(
  args: IssueArgs,
): Promise<HeldCertificate> {
  const { wanted, signal, log } = args;
  const client = await AcmeClient.connect(
    wanted.directory,
    await accountKey(args.accountStore),
    { signal },
  );
  const account = await client.login(args);
  log(`account ${account}`);
  const { order, key } = await openOrder(client, args);
  await authorize(client, order, args);
  const chain = await collect(client, order.url, key, wanted);
  return checked({ chain, key, account }, args);
}

interface OpenAuthorization {
  readonly url: string;
  readonly offered: AcmeChallenge;
  readonly task: ChallengeTask;
}

/** Proves control of each name that the authority does not know of already. */
async function authorize(
  client: AcmeClient,
  order: Order,
  args: IssueArgs,
): Promise<void> {
  const { wanted, challenge, log } = args;
  const open = await openAuthorizations(client, order, challenge.type);
  // Of names that are not open now: a run that died has left their records.
  // Those of open ones stay: the authority may be reading them.
  const domains = new Set(wanted.names.map(withoutWildcard));
  for (const { task } of open) domains.delete(task.domain);
  await challenge.sweep([...domains]);
  if (open.length === 0) return;

  await challenge.during(
    open.map(({ task }) => task),
    async () => {
      for (const { offered } of open) {
        // A run that died may have asked already; asking twice is an error.
        if (offered.status === "pending") await client.respond(offered);
      }
      for (const { url } of open) {
        const settled = await client.settledAuthorization(url);
        if (settled.status !== "valid") throw refusal(settled, challenge.type);
        log(`${nameOf(settled)} is validated`);
      }
    },
  );
}

async function openAuthorizations(
  client: AcmeClient,
  order: Order,
  type: string,
): Promise<OpenAuthorization[]> {
  if (order.status !== "pending") return [];
  const open: OpenAuthorization[] = [];
  for (const url of order.authorizations) {
    const authorization = await client.authorization(url);
    if (authorization.status === "valid") continue;
    const offered = offeredChallenge(authorization, type);
    const keyAuthorization = await client.keyAuthorization(offered.token ?? "");
    const domain = authorization.identifier.value;
    open.push({ url, offered, task: { domain, keyAuthorization } });
  }
  return open;
}

function offeredChallenge(
  authorization: Authorization,
  type: string,
): AcmeChallenge {
  const offered = authorization.challenges.find(
    (challenge) => challenge.type === type,
  );
  if (offered) return offered;
  const types = authorization.challenges.map((challenge) => challenge.type);
  throw new Error(
    `The certificate authority offers no ${type} for ${nameOf(authorization)}, only ${types.join(", ") || "nothing"} (the authorization is ${authorization.status})`,
  );
}

function refusal(authorization: Authorization, type: string): Error {
  const error = authorization.challenges.find(
    (challenge) => challenge.type === type,
  )?.error;
  return new AcmeProblem(
    `authorization of ${nameOf(authorization)}`,
    error ?? {
      type: "about:blank",
      detail: `the authorization became ${authorization.status}`,
      subproblems: [],
    },
  );
}

/** Has the order signed, unless a run that died has, and fetches the chain. */
async function collect(
  client: AcmeClient,
  url: string,
  key: string,
  wanted: WantedCertificate,
): Promise<string> {
  const { names, keyType } = wanted;
  let order = await client.settledOrder(url, ["pending", "processing"]);
  if (order.status === "ready") {
    await client.finalize(order, await signingRequest(names, key, keyType));
    order = await client.settledOrder(url, ["ready", "processing"]);
  }
  if (order.status === "valid") return client.certificate(order);
  throw new AcmeProblem(
    `order for ${names.join(", ")}`,
    order.error ?? {
      type: "about:blank",
      detail: `the order became ${order.status}`,
      subproblems: [],
    },
  );
}

async function checked(
  made: { chain: string; key: string; account: string },
  args: IssueArgs,
): Promise<HeldCertificate> {
  const { wanted, now, accountStore } = args;
  const { names, directory, profile, keyType } = wanted;
  const issuedAt = now();
  const problems = certificateProblems(made, names, issuedAt);
  if (problems.length === 0) {
    return holdCertificate({ ...made, directory, profile, keyType, issuedAt });
  }
  // Else the next run would fetch the same one again.
  await forgetOrder(accountStore);
  throw new Error(
    `The certificate authority ${directory} issued a certificate that cannot be used: ${problems.join("; ")}`,
  );
}

function nameOf({ identifier, wildcard }: Authorization): string {
  return wildcard ? `*.${identifier.value}` : identifier.value;
}

function withoutWildcard(name: string): string {
  return name.replace(/^\*\./, "");
}
