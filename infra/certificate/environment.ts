/** The settings of the certificate's program, as the variables that it reads. */
import type { StackConfig } from "../config/parse.ts";
import { certificateNames } from "./held-certificate.ts";

/**
 * What every shell of it is told; where things are kept, it is told besides.
 * @param cloudflareUrl address of Cloudflare's API; its own when absent
 */
export function certificateEnvironment(
  config: Pick<StackConfig, "domain" | "zoneId" | "certificate">,
  cloudflareUrl: string | undefined,
) {
  const { domain, certificate } = config;
  const { directory, contact, profile, keyType, challenge } = certificate;
  return {
    CERTIFICATE_NAMES: certificateNames(domain).join(","),
    CERTIFICATE_DIRECTORY: directory,
    CERTIFICATE_ZONE: challenge?.zoneId ?? config.zoneId,
    CERTIFICATE_PROFILE: profile,
    CERTIFICATE_KEY_TYPE: keyType,
    ...(contact !== undefined && { CERTIFICATE_CONTACT: contact }),
    ...(challenge && { CERTIFICATE_CHALLENGE_ALIAS: challenge.name }),
    ...(cloudflareUrl !== undefined && { CLOUDFLARE_BASE_URL: cloudflareUrl }),
  };
}
