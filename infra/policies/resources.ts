/**
 * What a policy is, and how it reads resources. Policies judge resources as the
 * engine plans or keeps them: in tests over production's
 * (test/program/policies.test.ts), and before every deploy (policies/). Nothing
 * here knows Pulumi's policy SDK.
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

// Inputs, whose shape nobody has checked.

export type Fields = Readonly<Record<string, unknown>>;

/** The value's fields; none when it is not an object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

/** The values of a list; a single value is a list of one, nothing is none. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === "string");
}

/**
 * A policy document, which resources hold as text or as what it means. One that
 * is not known yet says nothing; "up" judges it again.
 */
export function documentOf(value: unknown): Fields {
  if (typeof value !== "string") return fieldsOf(value);
  try {
    return fieldsOf(JSON.parse(value));
  } catch {
    // AWS refuses it, too.
    return {};
  }
}

/** AWS' schema has some booleans as text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/** Whether it says something: the provider fills what is unset with "". */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

// Who refers to whom: by URN, for ids are not known before they are made; by id
// to what the stack has adopted, which has no URN.

/** URNs, and ids of what is adopted. */
export type Names = ReadonlySet<string>;

/** The resource's type with those of its parents, outermost first. */
export function typesOf({ urn }: PlannedResource): string[] {
  return (urn.split("::")[2] ?? "").split("$");
}

export function refersTo(
  resource: PlannedResource,
  property: string,
  names: Names,
): boolean {
  const from = resource.propertyDependencies?.[property] ?? [];
  return [...from, ...textsOf(resource.inputs[property])].some((name) =>
    names.has(name),
  );
}

/** Whether any of the resource's properties comes from one of these. */
export function refersAnyhowTo(
  resource: PlannedResource,
  names: Names,
): boolean {
  return Object.keys({
    ...resource.inputs,
    ...resource.propertyDependencies,
  }).some((property) => refersTo(resource, property, names));
}

/** Those whose property comes from one of the owners. */
export function ownedBy(
  resources: readonly PlannedResource[],
  property: string,
  owners: Names,
): PlannedResource[] {
  return resources.filter((resource) => refersTo(resource, property, owners));
}

export function urnsOf(resources: readonly PlannedResource[]): Names {
  return new Set(resources.map(({ urn }) => urn));
}

export function ofType(
  resources: readonly PlannedResource[],
  ...types: readonly string[]
): PlannedResource[] {
  return resources.filter(({ type }) => types.includes(type));
}
