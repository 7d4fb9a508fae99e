/**
 * Environment of an engine whose resources are stand-ins: a killed run could lose
 * nothing, and the state of a hundred of them is long to write after each.
 */
export const withoutCheckpoints = {
  PULUMI_EXPERIMENTAL: "true",
  PULUMI_SKIP_CHECKPOINTS: "true",
};
