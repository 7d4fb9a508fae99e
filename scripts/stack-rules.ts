/** Apart from the rest of the stack file: rules need their schema, most commands not. */
import { type EgressRule, parseEgressRules } from "../infra/gateway/rules.ts";
import { stackConfig } from "./stack.ts";

/** What Pulumi.local.yaml allows sandboxes to call. */
export function stackRules(): EgressRule[] {
  const { allow } = stackConfig<{ allow: unknown }>("egress");
  return parseEgressRules(allow).rules;
}
