/**
 * Who refers to whom: by URN, for ids are not known before they are made; by id
 * to what the stack has adopted, which has no URN.
 */
import type { PlannedResource } from "./policy.ts";
import { textsOf } from "./values.ts";

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
