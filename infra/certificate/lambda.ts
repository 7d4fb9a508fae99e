/**
 * The certificate's function in AWS: the same core as main.ts behind another
 * store. A schedule calls it, and `pulumi up`.
 */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod";
import {
  certificate as certificateDocument,
  certificateCredentials,
} from "../machine/live-state.ts";
import { SecretsManagerStore } from "../machine/store/secrets-manager.ts";
import { readDocument } from "../machine/store/store.ts";
import { ensureAccount } from "./account.ts";
import { cloudflareChallenge } from "./cloudflare-challenge.ts";
import { cloudflareApi, readCredentials } from "./credentials.ts";
import { ensureCertificate } from "./ensure.ts";
import { keyTypes } from "./held-certificate.ts";

/** What the schedule and the stack send. */
const eventSchema = z.object({ verb: z.enum(["account", "issue"]) });

/** The function's environment; no secret, for it shows in the console. */
const settingsSchema = z.object({
  CERTIFICATE_NAMES: z.string().transform((names) => names.split(",")),
  CERTIFICATE_DIRECTORY: z.url(),
  CERTIFICATE_CONTACT: z.string().optional(),
  CERTIFICATE_ZONE: z.string(),
  CERTIFICATE_CHALLENGE_ALIAS: z.string().optional(),
  CERTIFICATE_PROFILE: z
    .string()
    .optional()
    .transform((profile) => profile || undefined),
  CERTIFICATE_KEY_TYPE: z.enum(keyTypes),
  /** Goes before the names of its documents. */
  CERTIFICATE_SECRETS: z.string(),
  CLOUDFLARE_BASE_URL: z.url({ protocol: /^https$/ }).default(cloudflareApi),
});

/** Time that is kept to clean up and to report, in ms. */
const reserve = 30_000;

/** As far as it is used. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

export type LambdaResult =
  | { readonly account: string }
  | {
      readonly action: string;
      readonly serial: string;
      readonly names: readonly string[];
      readonly notAfter: string;
    };

/** @throws Error in words for the operator, which `pulumi up` shows. */
export async function handler(
  event: unknown,
  context: LambdaContext,
): Promise<LambdaResult> {
  const { verb } = eventSchema.parse(event);
  const settings = settingsSchema.parse(process.env);
  const names = settings.CERTIFICATE_NAMES;
  const store = new SecretsManagerStore(
    new SecretsManagerClient(),
    settings.CERTIFICATE_SECRETS,
  );
  const signal = AbortSignal.timeout(
    Math.max(0, context.getRemainingTimeInMillis() - reserve),
  );
  const { cloudflareToken, externalAccount } = readCredentials(
    certificateCredentials.parse(
      (await store.read(certificateCredentials.name)) ?? "{}",
    ),
  );
  const account = {
    directory: settings.CERTIFICATE_DIRECTORY,
    contact: settings.CERTIFICATE_CONTACT,
    externalAccount,
  };
  if (verb === "account") {
    return {
      account: await ensureAccount({ ...account, accountStore: store, signal }),
    };
  }
  try {
    const { action, certificate } = await ensureCertificate({
      config: {
        ...account,
        names,
        profile: settings.CERTIFICATE_PROFILE,
        keyType: settings.CERTIFICATE_KEY_TYPE,
      },
      store,
      accountStore: store,
      challenge: cloudflareChallenge({
        names,
        zoneId: settings.CERTIFICATE_ZONE,
        token: cloudflareToken(),
        baseUrl: settings.CLOUDFLARE_BASE_URL,
        alias: settings.CERTIFICATE_CHALLENGE_ALIAS,
        log: say,
        signal,
      }),
      now: () => new Date(),
      log: say,
      signal,
    });
    await count(store, names, 1);
    const { serial, notAfter } = certificate;
    return { action, serial, names: certificate.names, notAfter };
  } catch (error) {
    await count(store, names, 0);
    throw error;
  }
}

/**
 * Figures for alarms, as a line of the log that CloudWatch reads: days to
 * expiry, and whether this run ended well. No line at all is an alarm as well.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
async function count(
  store: SecretsManagerStore,
  names: readonly string[],
  succeeded: 0 | 1,
): Promise<void> {
  const read = await readDocument(store, certificateDocument);
  const notAfter =
    read && "value" in read ? Date.parse(read.value.notAfter) : Date.now();
  const days = Math.max(0, (notAfter - Date.now()) / 86_400_000);
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: "daytona-edge",
            Dimensions: [["Name"]],
            Metrics: [
              { Name: "CertificateDaysLeft", Unit: "None" },
              { Name: "CertificateRunSucceeded", Unit: "Count" },
            ],
          },
        ],
      },
      Name: names[0],
      CertificateDaysLeft: Math.round(days * 100) / 100,
      CertificateRunSucceeded: succeeded,
    }),
  );
}

function say(line: string): void {
  console.log(`certificate: ${line}`);
}
