/** Who refers to whom: by URN, for ids are not known before they are made. */
import type { PlannedResource } from "./policy.ts";

export type Urns = ReadonlySet<string>;

/** The resource's type with those of its parents, outermost first. */
export function typesOf({ urn }: PlannedResource): string[] {
  return (urn.split("::")[2] ?? "").split("$");
}

export function refersTo(
  resource: PlannedResource,
  property: string,
  urns: Urns,
): boolean {
  const from = resource.propertyDependencies?.[property] ?? [];
  return from.some((urn) => urns.has(urn));
}

/** Whether any of the resource's properties comes from one of these. */
export function refersAnyhowTo(resource: PlannedResource, urns: Urns): boolean {
  return Object.keys(resource.propertyDependencies ?? {}).some((property) =>
    refersTo(resource, property, urns),
  );
}

/** Those whose property comes from one of the owners. */
export function ownedBy(
  resources: readonly PlannedResource[],
  property: string,
  owners: Urns,
): PlannedResource[] {
  return resources.filter((resource) => refersTo(resource, property, owners));
}

export function urnsOf(resources: readonly PlannedResource[]): Urns {
  return new Set(resources.map(({ urn }) => urn));
}

export function ofType(
  resources: readonly PlannedResource[],
  ...types: readonly string[]
): PlannedResource[] {
  return resources.filter(({ type }) => types.includes(type));
}
