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
  const prefix = `${project.name}:`;
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(allConfig() ?? {})) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (!secretKeys.includes(name)) given[name] = plain(value);
  }
  const result = parseConfig(given, {
    stack: pulumi.getStack(),
    now: new Date(),
  });
  const sshPrivateKey = project.getSecret("sshPrivateKey");
  const keyGiven = allConfig()?.[`${prefix}sshPrivateKey`];
  const keyProblem = keyGiven && privateKeyProblem(keyGiven);
  if (keyProblem) {
    result.problems.push({ key: "sshPrivateKey", message: keyProblem });
  }
  const credentials = readCredentials(project, result.config);
  result.problems.push(...credentials.problems);
  const forCertificate = readCertificateCredentials(project);
  result.problems.push(...forCertificate.problems);
  const cloudflareUrl = new pulumi.Config("cloudflare").get("baseUrl");
  result.problems.push(...cloudflareProblems(cloudflareUrl));
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
    certificateCredentials: pulumi.secret(forCertificate.credentials),
    sshPrivateKey,
    egressCredentials: pulumi.secret(credentialsDocument(credentials.secrets)),
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

/** What the certificate's program needs and may not show. */
function readCertificateCredentials(project: pulumi.Config): {
  credentials: CertificateCredentials;
  problems: Problem[];
} {
  const key = "certificateCredentials";
  const given = allConfig()?.[`${project.name}:${key}`];
  const parsed = parseCertificateCredentials(
    given === undefined ? {} : plain(given),
    // As Cloudflare's own provider takes it.
    new pulumi.Config("cloudflare").get("apiToken") ??
      process.env.CLOUDFLARE_API_TOKEN,
  );
  return {
    credentials: parsed.credentials,
    problems: parsed.problems.map((problem) => ({
      key: problem.key === "" ? key : `${key}.${problem.key}`,
      message: problem.message,
    })),
  };
}

/** The secrets that rules name, each of which must be there. */
function readCredentials(
  project: pulumi.Config,
  config: StackConfig | undefined,
): { secrets: Secrets; problems: Problem[] } {
  const given = allConfig()?.[`${project.name}:credentials`];
  const parsed = parseSecrets(given === undefined ? {} : plain(given));
  const problems: Problem[] = parsed.problems.map((problem) => ({
    key: problem.key === "" ? "credentials" : `credentials.${problem.key}`,
    message: problem.message,
  }));
  config?.egress?.egressRules.forEach(({ options: { credential } }, index) => {
    if (!credential || problems.length > 0) return;
    if (Object.hasOwn(parsed.secrets, credential.secret)) return;
    problems.push({
      key: `egress.allow[${String(index)}].credential.secret`,
      message: `"${credential.secret}" is not set`,
      commands: [
        `pulumi config set --secret --path ${project.name}:credentials.${credential.secret}`,
      ],
    });
  });
  return { secrets: parsed.secrets, problems };
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
