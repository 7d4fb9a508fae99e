/**
 * What a policy is. Policies judge resources as the engine plans or keeps
 * them: in tests over production's (test/program/policies.test.ts), and before
 * every deploy (policies/). Nothing here knows Pulumi's policy SDK.
 */

export interface PlannedResource {
  readonly urn: string;
  readonly type: string;
  /**
   * What is known. What only the making of the resource decides may be left
   * out, and so may what the engine encrypts.
   */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Of a component: what it says of itself. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
  /**
   * URNs of the resources that a property's value comes from: known even where
   * the value is not yet.
   */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/** Judges one resource by itself. */
export interface ResourcePolicy {
  /** Kebab case. */
  readonly name: string;
  /** What it demands. */
  readonly description: string;
  /** What is wrong with the resource, and how it is put right; empty when nothing is. */
  readonly judge: (resource: PlannedResource) => readonly string[];
}

export interface Violation {
  readonly urn: string;
  readonly text: string;
}

/** Judges what resources are to each other. */
export interface StackPolicy {
  readonly name: string;
  readonly description: string;
  readonly judgeStack: (
    resources: readonly PlannedResource[],
  ) => readonly Violation[];
}
