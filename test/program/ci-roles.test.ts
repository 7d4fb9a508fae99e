/** The roles of GitHub's runners (infra/ci) under the real engine; the stand-in for AWS makes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import program from "../../infra/ci/index.ts";
import { ownDocuments, reads } from "../../infra/ci/permissions.ts";
import { egressAuthority } from "../../infra/machine/live-state.ts";
import {
  type Resource,
  engineState,
  nameOf,
} from "../../scripts/toolchain/engine-state.ts";
import { openStack } from "../../scripts/toolchain/stack.ts";
import { refusedTexts } from "./aws-texts.ts";
import { production } from "./production.ts";

const config = {
  repository: "lumilink/daytona-edge",
  stateBucket: "lumilink-pulumi",
  secretsKey:
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
};

let workDir: string;
/** The stack as it is meant to be. */
let one: (name: string) => Resource;
let outputs: Record<string, unknown>;
let all: readonly Resource[];

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), "daytona-edge-ci-"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    "name: daytona-edge\nruntime: nodejs\n",
  );
  ({ one, outputs, resources: all } = await up());
});
afterAll(() => {
  rmSync(workDir, { recursive: true });
});

async function up(change: Record<string, unknown> = {}) {
  writeFileSync(
    join(workDir, "Pulumi.ci.yaml"),
    stringify({
      config: Object.fromEntries(
        Object.entries({ ...config, ...change }).map(([key, value]) => [
          `daytona-edge:${key}`,
          value,
        ]),
      ),
    }),
  );
  await using stack = await openStack({
    stackName: "ci",
    workDir,
    providers: ["aws"],
    program: () => Promise.resolve({ ...program() }),
  });
  await stack.up();
  const { resources } = engineState(workDir, "ci");
  const one = (name: string) => {
    const found = resources.find((resource) => nameOf(resource) === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  return { one, resources, outputs: await stack.outputs() };
}

type Statement = Readonly<{
  Effect: string;
  Action: string[];
  Resource?: string[];
  Principal?: unknown;
  Condition?: Readonly<Record<string, Readonly<Record<string, string[]>>>>;
}>;

function statements(policy: unknown): Statement[] {
  return (JSON.parse(String(policy)) as { Statement: Statement[] }).Statement;
}
const trustOf = (role: Resource) => statements(role.inputs.assumeRolePolicy);
const permissionsOf = (policy: Resource) => statements(policy.inputs.policy);

/** Whether AWS would take a token; only what the policies here have is known. */
function takes(trust: Statement[], claims: Record<string, string>): boolean {
  return trust.some(({ Condition = {}, ...statement }) => {
    expect(statement.Effect).toBe("Allow");
    expect(Object.keys(Condition)).toEqual(["StringEquals"]);
    return Object.entries(Condition.StringEquals ?? {}).every(
      ([variable, values]) => values.includes(claims[variable] ?? ""),
    );
  });
}

const token = (sub: string, aud = "sts.amazonaws.com") => ({
  "token.actions.githubusercontent.com:aud": aud,
  "token.actions.githubusercontent.com:sub": sub,
});

test("its names and descriptions have no character that AWS refuses", () => {
  expect(refusedTexts(all)).toEqual([]);
});

describe("trust", () => {
  test("each role's is exact: GitHub's provider, the audience, the subjects", () => {
    const provider = one("github");
    expect(provider.inputs).toMatchObject({
      url: "https://token.actions.githubusercontent.com",
      clientIdLists: ["sts.amazonaws.com"],
    });
    for (const [role, output, subjects] of [
      [
        "github-preview",
        "AWS_PREVIEW_ROLE",
        [
          "repo:lumilink/daytona-edge:pull_request",
          "repo:lumilink/daytona-edge:ref:refs/heads/main",
        ],
      ],
      [
        "github-up",
        "AWS_UP_ROLE",
        ["repo:lumilink/daytona-edge:environment:production"],
      ],
    ] as const) {
      expect(trustOf(one(role))).toEqual([
        {
          Effect: "Allow",
          Action: ["sts:AssumeRoleWithWebIdentity"],
          Principal: { Federated: [provider.outputs?.arn] },
          Condition: {
            StringEquals: {
              "token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"],
              "token.actions.githubusercontent.com:sub": subjects,
            },
          },
        },
      ]);
      expect(outputs[output]).toBe(one(role).outputs?.arn);
    }
  });

  test("a fork, another branch, repository, environment or audience gets in nowhere", () => {
    const [preview, deploy] = ["github-preview", "github-up"].map((role) =>
      trustOf(one(role)),
    ) as [Statement[], Statement[]];
    const own = "repo:lumilink/daytona-edge";
    expect(takes(preview, token(`${own}:pull_request`))).toBe(true);
    expect(takes(deploy, token(`${own}:pull_request`))).toBe(false);
    expect(takes(deploy, token(`${own}:environment:production`))).toBe(true);
    expect(takes(preview, token(`${own}:environment:production`))).toBe(false);
    expect(takes(deploy, token(`${own}:ref:refs/heads/main`))).toBe(false);
    for (const refused of [
      token("repo:somebody/daytona-edge:pull_request"),
      token("repo:somebody/daytona-edge:environment:production"),
      token("repo:lumilink/daytona-edge-fork:pull_request"),
      token("repo:lumilink@1/daytona-edge@2:pull_request"),
      token(`${own}:ref:refs/heads/feature`),
      token(`${own}:environment:staging`),
      token(`${own}:pull_request`, "https://github.com/lumilink"),
      {},
    ]) {
      for (const trust of [preview, deploy]) {
        expect(takes(trust, refused), JSON.stringify(refused)).toBe(false);
      }
    }
  });

  test("a repository that GitHub names with ids is taken by them", async () => {
    const byIds = await up({ repository: "lumilink@123/daytona-edge@456" });
    const trust = trustOf(byIds.one("github-up"));
    const production = ":environment:production";
    expect(
      takes(trust, token(`repo:lumilink@123/daytona-edge@456${production}`)),
    ).toBe(true);
    expect(takes(trust, token(`repo:lumilink/daytona-edge${production}`))).toBe(
      false,
    );
  });

  test.each(["lumilink/*", "lumilink", "lumilink@1/daytona-edge", ""])(
    "%j is no repository",
    async (repository) => {
      await expect(up({ repository, stateBucket: undefined })).rejects.toThrow(
        /Pulumi\.ci\.yaml: 2 problems\n.*daytona-edge:repository .*OWNER\/NAME.*\n.*daytona-edge:stateBucket +missing/,
      );
    },
  );
});

describe("permissions", () => {
  test("the preview's role reads, and decrypts with the stack's key alone", () => {
    const allowed = permissionsOf(one("github-preview-policy"));
    // No policy of somebody else's.
    expect(one("github-preview").inputs).not.toHaveProperty(
      "managedPolicyArns",
    );
    for (const { Effect, Action, Resource } of allowed) {
      expect(Effect).toBe("Allow");
      for (const action of Action) {
        if (action === "kms:Decrypt") {
          expect(Resource).toEqual([config.secretsKey]);
        } else {
          expect(action).toMatch(/^[a-z0-9]+:(Get|List|Describe)[A-Za-z]*\*?$/);
        }
      }
    }
    // AWS' limit for all of a role's own policies, in characters.
    for (const policy of ["github-preview-policy", "github-up-policy"]) {
      expect(String(one(policy).inputs.policy).length).toBeLessThan(10_240);
    }
    // What says more than how something is set is never all there is.
    for (const action of [
      "s3:GetObject",
      "secretsmanager:GetSecretValue",
      "ssm:GetParameter",
      "kms:Decrypt",
    ]) {
      expect(reach(allowed, action), action).not.toContain("*");
      expect(reach(allowed, action), action).not.toEqual([]);
    }
  });

  test("rights are given to roles with the boundary, which nothing here writes", () => {
    const allowed = permissionsOf(one("github-up-policy"));
    const boundary = one("boundary").outputs?.arn;
    expect(outputs.AWS_PERMISSIONS_BOUNDARY).toBe(boundary);
    const role =
      "arn:aws:iam::123456789012:role/aws-edge-machines-role-prod-1234567";
    for (const action of [
      "iam:CreateRole",
      "iam:PutRolePolicy",
      "iam:PutRolePermissionsBoundary",
    ]) {
      const statements = allowed.filter(
        (statement) => reach([statement], action).length > 0,
      );
      expect(may(statements, action, role), action).toBe(true);
      for (const { Condition } of statements) {
        expect(Condition, action).toEqual({
          StringEquals: { "iam:PermissionsBoundary": [boundary] },
        });
      }
    }
    for (const action of [
      "iam:AttachRolePolicy",
      "iam:DeleteRolePermissionsBoundary",
      "iam:CreateUser",
      "iam:CreateAccessKey",
    ]) {
      expect(reach(allowed, action), action).toEqual([]);
    }
    for (const action of [
      "iam:CreatePolicy",
      "iam:CreatePolicyVersion",
      "iam:DeletePolicy",
      "iam:DeletePolicyVersion",
      "iam:SetDefaultPolicyVersion",
      "iam:TagPolicy",
    ]) {
      expect(may(allowed, action, String(boundary)), action).toBe(false);
    }
  });

  test("the boundary lets no role near the account's roles, or others' secrets", () => {
    const allowed = permissionsOf(one("boundary"));
    const actions = allowed.flatMap(({ Effect, Action }) => {
      expect(Effect).toBe("Allow");
      return Action;
    });
    // No family of actions, which grows without anybody here.
    expect(actions.filter((action) => action.includes("*"))).toEqual([]);
    expect(actions.filter((action) => /^(iam|sts|kms):/.test(action))).toEqual(
      [],
    );
    const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:";
    for (const [name, isOwn] of [
      ["daytona-edge/prod/certificate.json-AbCdEf", true],
      ["daytona-edge/other/certificate.json-AbCdEf", false],
      ["billing-AbCdEf", false],
    ] as const) {
      expect(
        may(allowed, "secretsmanager:GetSecretValue", `${secret}${name}`),
        name,
      ).toBe(isOwn);
    }
    for (const { Action, Condition } of allowed) {
      if (!Action.includes("ec2:AssociateAddress")) continue;
      // Others' addresses stay theirs.
      expect(Condition).toEqual({
        StringEquals: {
          "aws:ResourceTag/project": ["daytona-edge"],
          "aws:ResourceTag/stack": ["prod"],
        },
      });
    }
    // AWS' limit for a policy, in characters.
    expect(String(one("boundary").inputs.policy).length).toBeLessThan(6144);
  });

  test("neither role reaches this stack's state, the roles or GitHub's provider", () => {
    const account = "arn:aws:iam::123456789012";
    const state = `arn:aws:s3:::${config.stateBucket}/.pulumi`;
    for (const role of ["github-preview", "github-up"]) {
      const allowed = permissionsOf(one(`${role}-policy`));
      for (const action of [
        "iam:UpdateAssumeRolePolicy",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:PassRole",
        "iam:DeleteRole",
        "iam:UpdateOpenIDConnectProviderThumbprint",
        "iam:AddClientIDToOpenIDConnectProvider",
      ]) {
        for (const target of [
          `${account}:role/github-preview-1234567`,
          `${account}:role/github-up-1234567`,
          `${account}:oidc-provider/token.actions.githubusercontent.com`,
        ]) {
          expect(may(allowed, action, target), `${role} ${action}`).toBe(false);
        }
      }
      for (const action of ["s3:GetObject", "s3:PutObject"]) {
        for (const file of [
          "stacks/daytona-edge-ci/ci.json",
          "locks/organization/daytona-edge-ci/ci/1.json",
        ]) {
          expect(may(allowed, action, `${state}/${file}`), action).toBe(false);
        }
      }
    }
    const preview = permissionsOf(one("github-preview-policy"));
    const deploy = permissionsOf(one("github-up-policy"));
    const prod = `${state}/stacks/daytona-edge/prod.json`;
    expect(may(preview, "s3:GetObject", prod)).toBe(true);
    expect(may(preview, "s3:PutObject", prod)).toBe(false);
    expect(may(deploy, "s3:PutObject", prod)).toBe(true);
  });

  test("they fit production: each type is read, each name is one of its own", async () => {
    const preview = permissionsOf(one("github-preview-policy"));
    const deploy = permissionsOf(one("github-up-policy"));
    const prod = await production();
    try {
      const permissionsBoundary = String(one("boundary").outputs?.arn);
      prod.configure({
        "daytona-edge:aws": { region: "eu-central-1", permissionsBoundary },
        "daytona-edge:access": "signed",
        "daytona-edge:egress": {
          allow: ["https://openrouter.ai/api/v1/*"],
        },
      });
      await using stack = await prod.open();
      await stack.up();
      const resources = prod
        .state()
        .resources.filter(({ type }) => type.startsWith("aws:"));
      expect(resources.length).toBeGreaterThan(50);
      const modules = resources.map(
        ({ type }) => /^aws:(\w+)\//.exec(type)?.[1],
      );
      expect(Object.keys(reads)).toEqual(
        expect.arrayContaining([...new Set(modules)]),
      );
      const named = (type: string) =>
        resources.filter((resource) => resource.type === type);

      const documents = named("aws:secretsmanager/secret:Secret").map(
        ({ inputs }) => String(inputs.name),
      );
      expect(documents.sort()).toEqual(
        ownDocuments.map((name) => `daytona-edge/prod/${name}`),
      );
      const secret = (name: string) =>
        `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`;
      for (const name of documents) {
        expect(
          may(preview, "secretsmanager:GetSecretValue", secret(name)),
        ).toBe(true);
      }
      // Keys that no stack knows.
      for (const name of [
        "certificate.json",
        "acme-account.json",
        egressAuthority.name,
      ]) {
        expect(
          may(
            preview,
            "secretsmanager:GetSecretValue",
            secret(`daytona-edge/prod/${name}`),
          ),
          name,
        ).toBe(false);
      }

      // Each role is bound, and the boundary takes none of its rights.
      const bound = permissionsOf(one("boundary"));
      for (const role of named("aws:iam/role:Role")) {
        expect(role.inputs, nameOf(role)).toMatchObject({
          permissionsBoundary,
        });
      }
      for (const policy of named("aws:iam/rolePolicy:RolePolicy")) {
        for (const { Action, Resource = [] } of permissionsOf(policy)) {
          for (const action of Action) {
            const cut = Resource.filter(
              (resource) => !may(bound, action, resource),
            );
            expect(cut, `${nameOf(policy)}: ${action}`).toEqual([]);
          }
        }
      }

      const names = (type: string) =>
        named(type).map(({ inputs }) => String(inputs.name));
      for (const role of names("aws:iam/role:Role")) {
        expect(
          may(
            deploy,
            "iam:PutRolePolicy",
            `arn:aws:iam::123456789012:role/${role}`,
          ),
          role,
        ).toBe(true);
      }
      for (const profile of names("aws:iam/instanceProfile:InstanceProfile")) {
        expect(
          may(
            deploy,
            "iam:CreateInstanceProfile",
            `arn:aws:iam::123456789012:instance-profile/${profile}`,
          ),
          profile,
        ).toBe(true);
      }
      const [bucket, ...more] = named("aws:s3/bucket:Bucket").map(
        ({ inputs }) => inputs.bucket,
      );
      expect(more).toEqual([]);
      const object = `arn:aws:s3:::${String(bucket)}/edge.tar.gz`;
      expect(may(preview, "s3:GetObject", object)).toBe(true);
      expect(may(preview, "s3:PutObject", object)).toBe(false);
      expect(may(deploy, "s3:PutObject", object)).toBe(true);
    } finally {
      prod.remove();
    }
  }, 900_000);
});

/** What an action is allowed on. */
function reach(allowed: Statement[], action: string): string[] {
  return allowed
    .filter(({ Action }) => Action.some((one) => matches(one, action)))
    .flatMap(({ Resource = [] }) => Resource);
}

function may(allowed: Statement[], action: string, resource: string): boolean {
  return reach(allowed, action).some((one) => matches(one, resource));
}

/** A pattern of IAM: `*` is any text, `?` any character. */
function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(text);
}
