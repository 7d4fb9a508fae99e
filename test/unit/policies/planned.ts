/** Resources as the engine plans them, in few words. */
import type { PlannedResource } from "../../../infra/policies/resources.ts";

export interface Surroundings {
  /** Type of the component that it is in. */
  readonly component?: string;
  /** Where the values of properties come from. */
  readonly from?: Readonly<Record<string, readonly PlannedResource[]>>;
  readonly protect?: boolean;
}

export function planned(
  type: string,
  name: string,
  inputs: Readonly<Record<string, unknown>> = {},
  { component, from = {}, protect }: Surroundings = {},
): PlannedResource {
  const types = component === undefined ? type : `${component}$${type}`;
  return {
    urn: `urn:pulumi:prod::daytona-edge::${types}::${name}`,
    type,
    inputs,
    propertyDependencies: Object.fromEntries(
      Object.entries(from).map(([property, resources]) => [
        property,
        resources.map(({ urn }) => urn),
      ]),
    ),
    ...(protect === undefined ? {} : { protect }),
  };
}

/** Names of the resources that violations are about. */
export function names(violations: readonly { urn: string }[]): string[] {
  return violations.map(({ urn }) => urn.split("::").at(-1) ?? "");
}
