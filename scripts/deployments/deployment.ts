/**
 * An installed stack as operators' commands see it. Here is what they may ask
 * of one, whatever its platform; how it is asked, each platform's file says.
 */
import type { Store } from "../../infra/machine/store/store.ts";
import type { StackConfig } from "../../infra/config/parse.ts";
import type { JournalEntry } from "./journal.ts";

export interface Deployment extends AsyncDisposable {
  /** Of the stack. */
  readonly name: string;
  /** Its stack file, but for secrets. */
  readonly config: StackConfig;
  /** Live state; what an agent would refuse is not written. */
  readonly store: LiveStateStore;
  readonly edges: () => Promise<readonly Machine[]>;
  readonly gateways: () => Promise<readonly Machine[]>;
  /** Where the sandboxes' names are to lead. @throws Error */
  readonly publicAddresses: () => Promise<Addresses>;
  /** Plain values; a secret one is "[secret]". @throws Error that says why not */
  readonly outputs: (options?: {
    readonly showSecrets?: boolean | undefined;
  }) => Promise<Record<string, unknown>>;
  /** What machines logged, oldest first on each. @throws Error */
  readonly logs: (query: LogQuery) => Promise<JournalEntry[]>;
  /** Runs a line of shell in a sandbox, by Daytona's toolbox. @throws Error */
  readonly execInSandbox: (
    sandbox: string,
    line: string,
  ) => Promise<{ readonly exitCode: number; readonly result: string }>;
}

/** Documents of live state; nobody takes one away. */
export type LiveStateStore = Omit<Store, "remove">;

export interface LogQuery {
  readonly of: "edges" | "gateways";
  /** By this computer's clock: others may be ahead or behind. */
  readonly since: Date;
  /** For example "daytona-gateway.service". */
  readonly units: readonly string[];
}

/** An edge or a gateway. */
export interface Machine {
  /** For people. */
  readonly name: string;
  /**
   * What its agent says of each document, as JSON; absent where nobody can ask.
   * @throws Error
   */
  readonly status?: () => Promise<string>;
  /**
   * Runs a script of sh there as root; absent where nobody logs in.
   * @returns its standard output
   * @throws Error with what it said when it failed
   */
  readonly run?: (script: string) => Promise<string>;
}

/** None where the machine has no address of that kind. */
export interface Addresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}
