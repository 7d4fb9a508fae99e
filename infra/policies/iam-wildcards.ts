import type { ResourcePolicy } from "./policy.ts";
import {
  type Fields,
  documentOf,
  fieldsOf,
  isSet,
  listOf,
  textsOf,
} from "./values.ts";

/** Where resources hold documents of permissions, as text or as objects. */
const documents: Readonly<Record<string, (inputs: Fields) => unknown[]>> = {
  "aws:iam/rolePolicy:RolePolicy": ({ policy }) => [policy],
  "aws:iam/userPolicy:UserPolicy": ({ policy }) => [policy],
  "aws:iam/groupPolicy:GroupPolicy": ({ policy }) => [policy],
  "aws:iam/policy:Policy": ({ policy }) => [policy],
  "aws:iam/role:Role": ({ inlinePolicies }) =>
    listOf(inlinePolicies).map((inline) => fieldsOf(inline).policy),
};

/** AWS' own policies that are wildcards themselves. */
const broad =
  /\/(AdministratorAccess|PowerUserAccess|ReadOnlyAccess|\w+FullAccess)$/;

export const iamWildcards: ResourcePolicy = {
  name: "iam-wildcards",
  description: "No role may do everything of a kind to everything there is.",
  judge: ({ type, inputs }) => [
    ...(documents[type]?.(inputs) ?? []).flatMap(wrongStatements),
    ...[...textsOf(inputs.policyArn), ...textsOf(inputs.managedPolicyArns)]
      .filter((arn) => type.startsWith("aws:iam/") && broad.test(arn))
      .map((arn) => `${arn} is as broad as can be; write what is needed.`),
  ],
};

function wrongStatements(document: unknown): string[] {
  return listOf(documentOf(document).Statement)
    .map(fieldsOf)
    .filter(({ Effect }) => Effect === "Allow")
    .filter((statement) => anyAction(statement) && anyResource(statement))
    .map(
      ({ Sid, Action, NotAction }) =>
        `Statement ${JSON.stringify(Sid ?? Action ?? NotAction)} allows a wildcard of actions on a wildcard of resources; name one of them.`,
    );
}

/** `NotAction` and `NotResource` allow what nobody has listed. */
function anyAction({ Action, NotAction }: Fields): boolean {
  return (
    isSet(NotAction) || textsOf(Action).some((action) => action.includes("*"))
  );
}

function anyResource({ Resource, NotResource }: Fields): boolean {
  return isSet(NotResource) || textsOf(Resource).some(isAnything);
}

/** `*`, and ARNs that leave open which one of a service's: `arn:aws:s3:::*`. */
function isAnything(resource: string): boolean {
  const name = resource.startsWith("arn:")
    ? resource.split(":").slice(5).join(":")
    : resource;
  return /^[*?/:]+$/.test(name);
}
