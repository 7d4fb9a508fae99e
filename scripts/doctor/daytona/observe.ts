/** Asks what there is to ask: API, public addresses, toolbox, server, sandbox. */
import { lookup } from "node:dns/promises";
import { LabError } from "../../lab/command.ts";
import { type Report, step } from "../../progress.ts";
import { answered, apiAddress, askApi } from "./api.ts";
import type { Answer, Observations, Target } from "./observations.ts";
import { linesOf, networkSeen } from "./reach.ts";
import {
  reachScript,
  scriptBySsh,
  serverScript,
  serverSeen,
} from "./server.ts";
import { isLoopback, lookAtSite, placesOf } from "./sites.ts";
import { askToolbox, scriptByToolbox } from "./toolbox.ts";

export interface Given {
  readonly api?: string | undefined;
  readonly key?: string | undefined;
  readonly ssh?: string | undefined;
  readonly identity?: string | undefined;
  readonly sandbox?: string | undefined;
  /** An address by which callers come, such as a sandbox's own. */
  readonly from?: string | undefined;
  /** Name of a host that sandboxes are to reach. */
  readonly target: string;
}

/** What reach.sh said in the sandbox. */
interface Inside {
  readonly by: "ssh" | "toolbox";
  readonly said: Answer<string>;
}

/** @throws LabError when this computer cannot resolve the target */
export async function observe(given: Given): Promise<Observations> {
  const { key, ssh, from } = given;
  const url = given.api === undefined ? undefined : apiAddress(given.api);
  const target = await targetOf(given.target);
  const api =
    url === undefined
      ? undefined
      : await step(`Daytona's API, ${url}`, () =>
          askApi({ url, key, sandbox: given.sandbox }),
        );
  const record = api?.sandbox?.value;
  const sandbox = record?.id ?? given.sandbox;
  const config = api?.config.value;
  const toolboxUrl = record?.toolboxProxyUrl ?? config?.proxyToolboxUrl;
  const places = placesOf(config, toolboxUrl, from);
  const asked = {
    ...{ api: url, hasKey: key !== undefined, ssh, sandbox, target },
  };
  const isElsewhere =
    toolboxUrl !== undefined &&
    (!isLoopback(toolboxUrl) || (url !== undefined && isLoopback(url)));

  const [named, toolbox, lines] = await step(
    "public addresses, the sandbox's toolbox, the server",
    (report) => {
      const waiting = pending(report);
      return Promise.all([
        waiting("public addresses", Promise.all(places.map(lookAtSite))),
        record?.state === "started" && key !== undefined && url !== undefined
          ? waiting(
              "toolbox",
              askToolbox({
                ...{ api: url, key, isElsewhere, sandbox: record.id },
                url: toolboxUrl,
              }),
            )
          : undefined,
        ssh === undefined
          ? undefined
          : waiting(
              "server",
              answered(async () => {
                const script = serverScript(target, sandbox);
                const { identity } = given;
                return scriptBySsh({ destination: ssh, identity }, script);
              }),
            ),
      ]);
    },
  );

  const server = lines && mapped(lines, serverSeen);
  // Who has a login alone knows the addresses from there.
  const own = server?.value?.config;
  const sites =
    config === undefined && own !== undefined
      ? await step("public addresses", () =>
          Promise.all(placesOf(own, own.proxyToolboxUrl, from).map(lookAtSite)),
        )
      : named;

  const run = toolbox?.run;
  const inside: Inside | undefined =
    lines && triedInside(lines.value ?? "")
      ? { by: "ssh", said: lines }
      : run && {
          by: "toolbox",
          said: await step("the sandbox's network, by its toolbox", () =>
            scriptByToolbox(run, reachScript, target),
          ),
        };
  return {
    ...{ asked, sites },
    ...(api && { api }),
    ...(toolbox && { toolbox: toolbox.seen }),
    ...(server && { server }),
    ...(inside && {
      sandbox: mapped(inside.said, (said) => ({
        ...networkSeen(linesOf(said), "sandbox"),
        by: inside.by,
      })),
    }),
  };
}

/**
 * What the script says of a server by itself.
 * @param said by server.sh there
 */
export function observedBySsh(
  { ssh, target }: { readonly ssh: string; readonly target: Target },
  said: string,
): Observations {
  return {
    asked: {
      ...{ api: undefined, hasKey: false, ssh, sandbox: undefined, target },
    },
    sites: [],
    server: { value: serverSeen(said) },
    ...(triedInside(said) && {
      sandbox: {
        value: { ...networkSeen(linesOf(said), "sandbox"), by: "ssh" },
      },
    }),
  };
}

const triedInside = (said: string) => said.includes("\nsandbox.route\t");

function mapped<T, U>(answer: Answer<T>, change: (value: T) => U): Answer<U> {
  return answer.error === undefined ? { value: change(answer.value) } : answer;
}

/** A step that is asked several things at once says what it still waits for. */
function pending(report: Report) {
  const names = new Set<string>();
  return <T>(name: string, work: Promise<T>): Promise<T> => {
    names.add(name);
    return work.finally(() => {
      names.delete(name);
      report(names.size === 0 ? "" : `waiting for ${[...names].join(", ")}`);
    });
  };
}

async function targetOf(name: string): Promise<Target> {
  const found = await answered(() => lookup(name, { family: 4 }));
  if (found.error === undefined) return { name, address: found.value.address };
  throw new LabError(
    `--target ${name}: this computer finds no address for it (${found.error}); name a host that your sandboxes are to reach and that this computer can resolve`,
  );
}
