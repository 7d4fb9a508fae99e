/** What the engine keeps of a stack, as it lies on the disk. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Resource {
  readonly urn: string;
  /** Its provider's name for it; a component has none. */
  readonly id?: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly parent?: string;
  /** URNs of what it came after. */
  readonly dependencies?: readonly string[];
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  /** URNs of the resources that an input's value comes from. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/** A component has no inputs. */
type KeptResource = Omit<Resource, "inputs"> & Partial<Resource>;

export interface EngineState {
  /** As it is written. */
  readonly text: string;
  readonly resources: readonly Resource[];
}

export function engineState(workDir: string, stack: string): EngineState {
  const file = join(workDir, `state/.pulumi/stacks/daytona-edge/${stack}.json`);
  const text = readFileSync(file, "utf8");
  const { checkpoint } = JSON.parse(text) as {
    checkpoint: { latest: { resources: KeptResource[] } };
  };
  const resources = checkpoint.latest.resources.map((resource) => ({
    ...{ inputs: {}, ...resource },
  }));
  return { text, resources };
}

/** How many resources each kind of operation was for, in the last update. */
export function lastChanges(
  workDir: string,
  stack: string,
): Record<string, number> {
  const history = join(workDir, "state/.pulumi/history/daytona-edge", stack);
  const last = readdirSync(history)
    .filter((file) => file.endsWith(".history.json"))
    .toSorted()
    .at(-1);
  if (last === undefined) throw new Error(`${history} holds no update`);
  const { resourceChanges } = JSON.parse(
    readFileSync(join(history, last), "utf8"),
  ) as { resourceChanges?: Record<string, number> };
  return resourceChanges ?? {};
}

/** Name of a resource: the last part of its URN. */
export function nameOf({ urn }: Resource): string {
  return urn.split("::").at(-1) ?? "";
}
