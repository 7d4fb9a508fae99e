import { exchange } from "../machine/agent/exchange.ts";
import { messageOf } from "../machine/agent/message-of.ts";
import { run } from "../machine/places.ts";

/** Where the sandboxes' resolver listens, as resolver.conf has it. */
const controlSocket = `${run("gateway")}/resolver.ctl`;

/** How long unbound may take to answer a command, in milliseconds. */
const answerLimit = 10_000;

/** Asks unbound's control socket; the input, where a command reads a list. */
export type Control = (command: string, input?: string) => Promise<string>;

/**
 * Asks the sandboxes' resolver as unbound-control(8) does, without starting that
 * program: the agent asks several times a second. A command is a line, a list
 * that it reads ends with a line of EOT, and an answer ends with the connection.
 * @param socket another one in tests
 * @throws Error when the resolver does not run, does not answer or refuses
 */
export async function resolverControl(
  command: string,
  input = "",
  socket = controlSocket,
): Promise<string> {
  const list = input === "" ? "" : `${input.trimEnd()}\n\u0004\n`;
  try {
    const asked = `UBCT1 ${command}\n${list}`;
    const answer = await exchange(socket, asked, answerLimit);
    if (answer.startsWith("error")) throw new Error(answer.trim());
    return answer;
  } catch (error) {
    throw new Error(`the sandboxes' resolver: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
