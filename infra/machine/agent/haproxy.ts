import { exchange } from "./exchange.ts";

/** How long HAProxy may take to answer a command, in milliseconds. */
const answerLimit = 5_000;

/** HAProxy's runtime API on its unix socket (management guide, section 9.3). */
export class HaproxyRuntime {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /**
   * Sends one command and returns the answer without white space around it.
   * @throws Error when HAProxy does not run or does not answer
   */
  async command(text: string): Promise<string> {
    return (await exchange(this.#socket, `${text}\n`, answerLimit)).trim();
  }

  /**
   * Sends several commands by one connection.
   * @param commands each of one line
   */
  commands(commands: readonly string[]): Promise<string> {
    return this.command(commands.join("; "));
  }

  /**
   * Sets a key of a map that HAProxy has loaded. `add map` on a key that is
   * there would add a second entry, which never wins: hence set first.
   * @throws Error with HAProxy's words
   */
  async setMap(map: string, key: string, value: string): Promise<void> {
    const set = await this.command(`set map ${map} ${key} ${value}`);
    if (set === "") return;
    const added = await this.command(`add map ${map} ${key} ${value}`);
    if (added !== "") throw new Error(`map ${map}: ${added}`);
  }

  /**
   * Puts a certificate in the place of one that HAProxy loaded from `path`.
   * No connection notices. The file must be written by the caller as well, or
   * a reload brings the old one back.
   * @param pem leaf, chain and key
   * @throws Error with HAProxy's words; the old certificate then stays
   */
  async setCertificate(path: string, pem: string): Promise<void> {
    // An empty line would end the payload, and the rest would be commands.
    const payload = pem.replaceAll(/\n\s*\n/g, "\n").trim();
    const set = await this.command(`set ssl cert ${path} <<\n${payload}\n`);
    if (!/Transaction (created|updated)/.test(set)) {
      throw new Error(`certificate ${path}: ${set}`);
    }
    const committed = await this.command(`commit ssl cert ${path}`);
    if (!committed.includes("Success")) {
      await this.command(`abort ssl cert ${path}`);
      throw new Error(`certificate ${path}: ${committed}`);
    }
  }

  /** Serial number of the certificate that is served from `path`, upper-case hexadecimal. */
  async certificateSerial(path: string): Promise<string | undefined> {
    const shown = await this.command(`show ssl cert ${path}`);
    return /^Serial: ([0-9A-F]+)$/m.exec(shown)?.[1];
  }
}
