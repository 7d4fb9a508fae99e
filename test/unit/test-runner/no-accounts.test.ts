/** No suite may act on somebody's account: what would lead to one is taken away. */
import { expect, test } from "vitest";
import { leaveAccounts } from "../../../scripts/test/no-accounts.ts";

test("what leads to an account is gone, everything else stays", () => {
  const env = {
    AWS_ACCESS_KEY_ID: "AKIA…",
    AWS_PROFILE: "production",
    AWS_WEB_IDENTITY_TOKEN_FILE: "/token",
    CLOUDFLARE_API_TOKEN: "token",
    DAYTONA_API_KEY: "dtn_…",
    PULUMI_ACCESS_TOKEN: "pul-…",
    PULUMI_BACKEND_URL: "s3://production",
    HOME: "/home/operator",
    PATH: "/usr/bin",
  };
  leaveAccounts(env);
  expect(env).toEqual({
    HOME: "/home/operator",
    PATH: "/usr/bin",
    DAYTONA_EDGE_STAND_INS_ONLY: "yes",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  });
});

test("this very run is one of those", () => {
  expect(process.env).toMatchObject({
    DAYTONA_EDGE_STAND_INS_ONLY: "yes",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  });
  expect(process.env).not.toHaveProperty("AWS_ACCESS_KEY_ID");
});
