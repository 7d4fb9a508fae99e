/** Where install-ca.sh puts the gateway's authority in a sandbox. */
const authority = "/usr/local/share/ca-certificates/daytona-egress.crt";

/** Debian's bundle of all trusted authorities, which then holds ours too. */
const bundle = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Environment that makes common runtimes in a sandbox trust the gateway's
 * authority. install-ca.sh writes the same; a sandbox that is given it when it
 * is made needs no login shell for it.
 */
export const sandboxEnv: Readonly<Record<string, string>> = {
  CURL_CA_BUNDLE: bundle,
  DENO_CERT: authority,
  GIT_SSL_CAINFO: bundle,
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundle,
  NODE_EXTRA_CA_CERTS: authority,
  REQUESTS_CA_BUNDLE: bundle,
  SSL_CERT_FILE: bundle,
};
