/** What the engine keeps of a stack, as it lies on the disk. */
import { readFileSync } from "node:fs";
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

/** Name of a resource: the last part of its URN. */
export function nameOf({ urn }: Resource): string {
  return urn.split("::").at(-1) ?? "";
}
