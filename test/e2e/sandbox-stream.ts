import { FIRST_SANDBOX, sandboxExec } from "./lab.ts";

/** An event stream that the first sandbox reads while something happens. */
export interface SandboxStream {
  /** What curl said when it ended, and then the status: `curl: (18) … 200`. */
  readonly ended: Promise<string>;
  /** Ends it. @returns "alive" when events still came until then */
  stop(): Promise<string>;
}

/**
 * Opens an event stream; resolves once its first event has come.
 * @param args more of curl's arguments
 * @throws Error with what curl said when it ended before that
 */
export async function openStream(
  url: string,
  args = "",
): Promise<SandboxStream> {
  const file = `/tmp/stream-${crypto.randomUUID()}`;
  const inSandbox = async (command: string) =>
    (await sandboxExec(FIRST_SANDBOX, command)).result;
  // curl's own limit ends what a failed test leaves behind.
  const ended = inSandbox(
    `curl -sSN -o ${file} --max-time 280 -w ' %{http_code}' ${args} '${url}' 2>&1 &
     echo $! >${file}.pid; wait $!; rm -f ${file} ${file}.pid`,
  );
  const opened = inSandbox(
    `for _ in $(seq 1200); do
       if [ -s ${file} ]; then echo open; exit; fi
       sleep 0.1
     done`,
  );
  const failed = ended.then((said) => {
    throw new Error(`${url} ended before its first event: ${said}`);
  });
  if ((await Promise.race([opened, failed])) !== "open") {
    throw new Error(`${url}: no event came`);
  }
  return {
    ended,
    stop: () =>
      inSandbox(
        `pid=$(cat ${file}.pid) && before=$(stat -c %s ${file}) || exit
         for _ in $(seq 1200); do
           if ! kill -0 $pid; then echo ended; exit; fi
           if [ "$(stat -c %s ${file})" -gt $before ]; then kill $pid; echo alive; exit; fi
           sleep 0.1
         done`,
      ),
  };
}
