/** The policies of infra/policies, told to Pulumi. None is written here. */
import {
  PolicyPack,
  type PolicyResource,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  UnknownValueError,
} from "@pulumi/policy";
import { resourcePolicies, stackPolicies } from "../infra/policies/index.ts";
import type {
  PlannedResource,
  ResourcePolicy,
  StackPolicy,
} from "../infra/policies/resources.ts";

new PolicyPack("daytona-edge", {
  enforcementLevel: "mandatory",
  policies: [
    ...resourcePolicies.map(resourceValidation),
    ...stackPolicies.map(stackValidation),
  ],
});

function resourceValidation({
  name,
  description,
  judge,
}: ResourcePolicy): ResourceValidationPolicy {
  return {
    ...{ name, description },
    validateResource: (args, reportViolation) => {
      for (const text of judge(planned(args))) reportViolation(text);
    },
  };
}

function stackValidation({
  name,
  description,
  judgeStack,
}: StackPolicy): StackValidationPolicy {
  return {
    ...{ name, description },
    validateStack: ({ resources }, reportViolation) => {
      const all = resources.map((resource) => ({
        ...planned(resource),
        propertyDependencies: dependencies(resource),
      }));
      for (const { text, urn } of judgeStack(all)) reportViolation(text, urn);
    },
  };
}

/**
 * Pulumi hands secrets out in plain and does not say which they are. Those
 * that the SDK makes secret by the provider's schema are named, and left out;
 * any other is judged by its look, as if it were plain.
 */
function planned({
  urn,
  type,
  props,
  opts,
}: ResourceValidationArgs | PolicyResource): PlannedResource {
  const secret = opts.additionalSecretOutputs;
  const inputs = Object.fromEntries(
    Object.keys(props)
      .filter((name) => !secret.includes(name))
      .map((name) => [name, known(props, name)]),
  );
  return { urn, type, inputs, protect: opts.protect };
}

function dependencies({ propertyDependencies }: PolicyResource) {
  return Object.fromEntries(
    Object.entries(propertyDependencies).map(([property, from]) => [
      property,
      from.map(({ urn }) => urn),
    ]),
  );
}

/**
 * A field, without what is not known before it is made: to touch that throws,
 * and the policy would count as not run. A policy that demands a value then
 * misses it, and one that forbids a value says so when "up" knows it.
 */
function known(from: object, name: string): unknown {
  try {
    const value: unknown = (from as Record<string, unknown>)[name];
    // The text of an asset, which the runner promises; a policy cannot wait.
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      return value.map((_, index) => known(value, String(index)));
    }
    return Object.fromEntries(
      Object.keys(value).map((field) => [field, known(value, field)]),
    );
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}
