/** The one place that reads `pulumi.Config`; all other code takes `StackConfig`. */
import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/index.js";
import {
  type CertificateCredentials,
  parseCertificateCredentials,
} from "../certificate/credentials.ts";
import {
  type Secrets,
  credentialsDocument,
  parseSecrets,
} from "../gateway/credentials-document.ts";
import { privateKeyProblem } from "../platforms/host/private-key.ts";
import { type StackConfig, parseConfig } from "./parse.ts";
import { type Problem, problemReport, quote } from "./problems.ts";
import { secretKeys } from "./schema.ts";

/**
 * Reads and checks the stack's configuration.
 * @throws pulumi.RunError that lists every problem with its key and the fix.
 */
export function readConfig(): {
  config: StackConfig;
  /** Where Cloudflare's API is, when the provider was told. */
  cloudflareUrl: string | undefined;
  /** What the certificate's program needs and may not show; secret. */
  certificateCredentials: pulumi.Output<CertificateCredentials>;
  /** Key that may log in to servers; the SSH agent's when absent. */
  sshPrivateKey: pulumi.Output<string> | undefined;
  /** The live state `egress-credentials.json`; secret. */
  egressCredentials: pulumi.Output<string>;
} {
  const project = new pulumi.Config();
  const cloudflare = new pulumi.Config("cloudflare");
  const prefix = `${project.name}:`;
  const given: Record<string, unknown> = {};
  const secret: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(allConfig() ?? {})) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    (secretKeys.includes(name) ? secret : given)[name] = plain(value);
  }
  const result = parseConfig(given, {
    stack: pulumi.getStack(),
    now: new Date(),
  });
  const { credentials = {}, certificateCredentials = {} } = secret;
  const sshPrivateKey = project.getSecret("sshPrivateKey");
  const keyGiven = allConfig()?.[`${prefix}sshPrivateKey`];
  const keyProblem = keyGiven && privateKeyProblem(keyGiven);
  const ofRules = parseSecrets(credentials);
  const ofCertificate = parseCertificateCredentials(
    certificateCredentials,
    // As Cloudflare's own provider takes it.
    cloudflare.get("apiToken") ?? process.env.CLOUDFLARE_API_TOKEN,
  );
  const cloudflareUrl = cloudflare.get("baseUrl");
  result.problems.push(
    ...(keyProblem ? [{ key: "sshPrivateKey", message: keyProblem }] : []),
    ...below("credentials", ofRules.problems),
    ...(ofRules.problems.length > 0
      ? []
      : unsetSecrets(result.config, ofRules.secrets, prefix)),
    ...below("certificateCredentials", ofCertificate.problems),
    ...cloudflareProblems(cloudflareUrl),
  );
  if (!result.config || result.problems.length > 0) {
    throw new pulumi.RunError(
      problemReport(
        `Pulumi.${pulumi.getStack()}.yaml`,
        prefix,
        result.problems,
      ),
    );
  }
  for (const { key, message } of result.warnings) {
    void pulumi.log.warn(`${prefix}${key}: ${message}`);
  }
  return {
    config: result.config,
    cloudflareUrl,
    certificateCredentials: pulumi.secret(ofCertificate.credentials),
    sshPrivateKey,
    egressCredentials: pulumi.secret(credentialsDocument(ofRules.secrets)),
  };
}

/** Whoever is on the way of plain HTTP would read the token, and could answer. */
function cloudflareProblems(url: string | undefined): Problem[] {
  if (
    url === undefined ||
    (URL.canParse(url) && new URL(url).protocol === "https:")
  ) {
    return [];
  }
  return [
    {
      key: "cloudflare:baseUrl",
      message: `${quote(url)} is not an https URL, and Cloudflare's token goes there; write one such as https://api.cloudflare.com/client/v4, or remove it`,
    },
  ];
}

/** Problems of a key's value, as those of the key. */
function below(key: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    key: problem.key === "" ? key : `${key}.${problem.key}`,
  }));
}

/** Each secret that a rule names must be there. */
function unsetSecrets(
  config: StackConfig | undefined,
  secrets: Secrets,
  prefix: string,
): Problem[] {
  const rules = config?.egress?.egressRules ?? [];
  return rules.flatMap(({ options: { credential } }, index) =>
    !credential || Object.hasOwn(secrets, credential.secret)
      ? []
      : [
          {
            key: `egress.allow[${String(index)}].credential.secret`,
            message: `"${credential.secret}" is not set`,
            commands: [
              `pulumi config set --secret --path ${prefix}credentials.${credential.secret}`,
            ],
          },
        ],
  );
}

/** Structured values come as JSON text; plain ones as they are. */
function plain(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "number" ? value : parsed;
  } catch {
    return value;
  }
}
