/** The key that may log in to servers, as it stands in the configuration. */
import ssh2 from "ssh2";

/**
 * Says what is wrong with a private key, and never what it is.
 * @returns why it cannot be used, with the fix; undefined when it can
 */
export function privateKeyProblem(text: string): string | undefined {
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) {
    return /passphrase/i.test(parsed.message)
      ? "is a key with a passphrase, for which nobody is asked; set one without it, or remove it and log in by an SSH agent"
      : "is not a whole private key in OpenSSH's or PEM form; one that is typed or pasted loses its line breaks, so set it from its file: pulumi config set --secret daytona-edge:sshPrivateKey < ~/.ssh/id_ed25519";
  }
  return parsed.isPrivateKey()
    ? undefined
    : "is a public key; set the private one, whose file has the name without .pub";
}
