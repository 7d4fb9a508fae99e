/**
 * A server for a second edge of a stack, without anything of ours but the store
 * of the stack's own edge: two edges of one stack read the same live state.
 * usage: spare-machine.ts EDGE
 */
import { edgeMachine } from "../../scripts/lab/edge/machine.ts";
import {
  bootMachine,
  createMachine,
  rootOf,
} from "../../scripts/lab/machine.ts";
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { loginKeys } from "../../scripts/lab/surroundings.ts";

const store = "/var/lib/daytona-edge/store";
const [edge = ""] = process.argv.slice(2);

await createMachine(
  edgeMachine("edge-spare", loginKeys(labSecrets()), [
    { host: `${rootOf(edge)}${store}`, machine: store, readOnly: true },
  ]),
);
await bootMachine("edge-spare");
process.exit();
