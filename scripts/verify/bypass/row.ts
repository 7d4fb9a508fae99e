/** One way around an egress list, and the shell that rows are made of. */

export interface Row {
  /** As the matrix of known ways counts them. */
  readonly number: number;
  readonly attempt: string;
  /** Shell in the sandbox. */
  readonly command: string;
  /** What each line of the output has to be: an application's own "no". */
  readonly denied: RegExp;
  /** How rows of the gateway's log begin, as `by wanted reason`; each must be there. */
  readonly logged: readonly string[];
  /** What is different about trying it here, or why no row is left. */
  readonly note?: string;
}

/** Prints the status, or curl's own error. */
export const curl =
  "curl -sS -k --max-time 10 -o /dev/null -w '%{http_code}\\n'";
export const quiet = "2>&1 | grep -v '^000$'";

/** curl's own words for a connection that was not to be. */
export const unreached =
  /^curl: \((6|7|28|35|52|56)\)|Could not resolve|refused|timed out|unreachable/;

/** The gateway's own answer to a request. */
export const denial = /^403$|"egress_denied"/;

/** One line for each command, whatever it prints besides. */
export const each = (commands: readonly string[]): string =>
  commands
    .map(
      (command) =>
        `(${command}) 2>&1 | tr -d '\\r' | grep -v '^000$' | tail -n 1`,
    )
    .join("\n");

/** Says bytes inside TLS to an inspected host, and prints the statuses. */
export const spoken = (gateway: string, host: string, text: string): string =>
  `(printf '${text}'; sleep 3) | timeout 8 openssl s_client -quiet -connect ${gateway}:443 -servername ${host} 2>/dev/null | tr -d '\\r' | grep -ao 'HTTP/1.[01] [0-9]*' | cut -d ' ' -f 2 | tr '\\n' ' '; echo`;
