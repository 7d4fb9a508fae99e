/** `npm run lab`: the lab's own command line. */
import { Command } from "commander";
import { existsSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { spawnSync } from "node:child_process";
import { main } from "../failure.ts";
import { ensureInside } from "../inside.ts";
import { ensureRoot } from "../root.ts";
import { LabError } from "./command.ts";
import { daytona } from "./daytona-server.ts";
import { awsMachineNames, bootedMachine } from "./aws/booted-machine.ts";
import {
  bootMachine,
  consoleLog,
  createMachine,
  inMachine,
  isRunning,
  machineNames,
  rebootMachine,
  removeMachine,
} from "./machine.ts";
import { livingLab, stopNamespaces } from "./namespaces.ts";
import { trustFile } from "../checkout.ts";

const lab = new Command("npm run lab --")
  .description("The local surroundings of the stack, and ways into them.")
  .enablePositionalOptions()
  .showHelpAfterError();

lab
  .command("status")
  .description("what runs, where, and the address to try")
  .action(async () => {
    if (livingLab() === undefined) {
      console.log('No lab is running in this checkout; "npm start" makes one.');
      return;
    }
    await ensureInside();
    const { showStatus } = await import("./status.ts");
    await showStatus();
  });

lab
  .command("curl")
  .description("curl from the lab's operator side, trusting the lab's roots")
  .argument("<curl arguments...>", "arguments of curl, for example -I URL")
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action(async (args: string[]) => {
    await ensureInside();
    become(["curl", "--cacert", trustFile, ...args]);
  });

lab
  .command("exec")
  .description("run a command in a sandbox, by Daytona's toolbox")
  .argument("<sandbox>", "id of the sandbox")
  .argument("<command...>", "the command, after --")
  .passThroughOptions()
  .action(async (sandbox: string, argv: string[]) => {
    await ensureInside();
    const { exitCode, result } = await daytona().executeArgv(
      sandbox,
      withoutDashes(argv),
    );
    process.stdout.write(result);
    process.exitCode = exitCode < 0 ? 1 : exitCode;
  });

lab
  .command("shell")
  .description("a root shell, or a command, on a machine")
  .argument("<machine>", "one of those that status shows")
  .argument("[command...]", "the command, after --", ["bash", "-l"])
  .passThroughOptions()
  .action(async (machine: string, argv: string[]) => {
    await ensureInside();
    become(inMachine(machine, withoutDashes(argv)));
  });

lab
  .command("logs")
  .description("the journal of a machine")
  .argument("<machine>", "one of those that status shows")
  .argument("[options...]", "options of journalctl, after --")
  .passThroughOptions()
  .action(async (machine: string, options: string[]) => {
    await ensureInside();
    if (isRunning(machine)) {
      become(
        inMachine(machine, [
          "journalctl",
          "--no-pager",
          ...withoutDashes(options),
        ]),
      );
    } else if (machineNames().includes(machine)) {
      console.log(readFileSync(consoleLog(machine), "utf8"));
    } else {
      inMachine(machine, []);
    }
  });

lab
  .command("ca")
  .description("the certificates that a client of the lab must trust, as PEM")
  .action(() => {
    if (!existsSync(trustFile)) {
      throw new LabError(
        'No lab is running in this checkout; "npm start" makes one.',
      );
    }
    process.stdout.write(readFileSync(trustFile));
  });

const sandbox = lab
  .command("sandbox")
  .description("Daytona's sandboxes, by its API");

sandbox
  .command("list")
  .description("every sandbox, one a line")
  .action(async () => {
    await ensureInside();
    for (const { id, state, public: isPublic } of await daytona().list()) {
      console.log(`${id}  ${state}  ${isPublic ? "public" : "private"}`);
    }
  });

sandbox
  .command("add")
  .description("a new sandbox with the demo application on ports 3000 and 8080")
  .option("--private", "reachable with its preview token only")
  .option("--snapshot <name>", "what it is made of, in place of the lab's own")
  .option(
    "--env <NAME=value>",
    "a variable that it is made with; may stand often",
    (pair: string, env: Record<string, string>) => {
      const [name = "", ...value] = pair.split("=");
      return { ...env, [name]: value.join("=") };
    },
    {},
  )
  .action(
    async (options: {
      private?: boolean;
      snapshot?: string;
      env: Record<string, string>;
    }) => {
      await ensureInside();
      const { private: isPrivate, ...chosen } = options;
      const { id } = await daytona().add({ ...chosen, public: !isPrivate });
      console.log(id);
    },
  );

sandbox
  .command("remove")
  .description("end a sandbox and remove what it holds")
  .argument("<sandbox>", "id of the sandbox")
  .action(async (id: string) => {
    await ensureInside();
    await daytona().remove(id);
  });

const machine = lab
  .command("machine")
  .description("machines as the tests need them");

machine
  .command("boot")
  .description(
    "boot a machine from cloud-init user data, which comes by standard input; a machine of that name is removed first",
  )
  .argument("<name>", `one of ${awsMachineNames.join(", ")}`)
  .action(async (name: string) => {
    await ensureInside();
    await createMachine(await bootedMachine(name, await text(process.stdin)));
    await bootMachine(name);
    become(inMachine(name, ["cloud-init", "status", "--wait", "--long"]));
  });

machine
  .command("reboot")
  .description("let a machine go down and boot it again, its disk as it is")
  .argument("<name>", "name of the machine")
  .action(async (name: string) => {
    await ensureInside();
    await rebootMachine(name);
  });

machine
  .command("remove")
  .description("end a machine and remove its disk")
  .argument("<name>", "name of the machine")
  .action(async (name: string) => {
    await ensureInside();
    await removeMachine(name);
  });

lab
  .command("down")
  .description("the same as npm stop")
  .action(async () => {
    ensureRoot();
    await stopNamespaces();
  });

/** The "--" that separates a command from our own options is not part of it. */
function withoutDashes(argv: readonly string[]): string[] {
  return argv[0] === "--" ? argv.slice(1) : [...argv];
}

/** Runs a program in this one's place. */
function become([file, ...args]: readonly [string, ...string[]]): void {
  const result = spawnSync(file, args, { stdio: "inherit" });
  if (result.error) throw new LabError(result.error.message);
  process.exitCode = result.status ?? 1;
}

await main(async () => {
  await lab.parseAsync();
});
