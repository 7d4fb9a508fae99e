/**
 * Whether the world is told what the stack has written. Cloudflare lets another
 * record of the same name stand beside ours, and then every second call goes
 * elsewhere; a zone that is not delegated to it is asked by nobody.
 */
import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Kind,
  type NameServer,
  answers,
  deviations,
  findZone,
} from "./certificate/name-servers.ts";

export interface PublishedRecords {
  readonly name: string;
  readonly kind: Kind;
  /** All that there are. */
  readonly values: readonly string[];
}

/** How long a provider's servers may take to learn of a change, in ms. */
const limit = 30_000;
const pause = 2_000;

/**
 * Waits until each name server of the zone has these records and no others.
 * A preview does not ask. Where nobody can be asked there is a warning only:
 * it says nothing of the records.
 * @throws pulumi.RunError that says what each server has instead
 */
export async function ensurePublished(
  domain: string,
  wanted: readonly PublishedRecords[],
): Promise<void> {
  if (pulumi.runtime.isDryRun()) return;
  let servers: readonly NameServer[];
  try {
    ({ servers } = await findZone(domain));
  } catch (error) {
    await pulumi.log.warn(
      `whether ${domain} leads to the edge is not known: ${(error as Error).message}`,
    );
    return;
  }
  for (const deadline = Date.now() + limit; ;) {
    const found = await Promise.all(
      wanted.map(async ({ name, kind, values }) => {
        const heard = await answers(servers, kind, name);
        const wrong = deviations(heard, kind, values);
        return {
          wrong: wrong.map((deviation) => `${name}: ${deviation}`),
          silent: heard.every((answer) => answer.values === undefined),
        };
      }),
    );
    const wrong = found.flatMap((answer) => answer.wrong);
    if (wrong.length === 0) {
      if (found.some(({ silent }) => silent)) {
        await pulumi.log.warn(
          `whether ${domain} leads to the edge is not known: its name servers do not answer from here`,
        );
      }
      return;
    }
    if (Date.now() > deadline) {
      throw new pulumi.RunError(
        [
          `${domain} does not lead to the edge alone:`,
          ...wrong,
          "Where one of the stack's records was changed or removed by hand (proxied, for example), type: pulumi up --refresh",
          "Remove the records that are not the stack's; where ours are not seen at all, compare the zone's NS records with those that Cloudflare gives it",
        ].join("\n  "),
      );
    }
    await sleep(pause);
  }
}
