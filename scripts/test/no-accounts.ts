/**
 * Suites run real programs that look for credentials by themselves: the engine,
 * the AWS SDK, stand-ins' clients. Nothing that a suite starts may find anybody's.
 */
import { standInsOnly } from "../toolchain/providers/index.ts";

/** Names of variables that lead to an account, or to a person's own settings. */
const accounts = /^(AWS|CLOUDFLARE|PULUMI|DAYTONA_API)_/;

/** Takes from an environment what leads to an account. */
export function leaveAccounts(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env).filter((key) => accounts.test(key))) {
    Reflect.deleteProperty(env, name);
  }
  Object.assign(env, {
    [standInsOnly]: "yes",
    // The SDK's other places: files of the user's, and the cloud's machine itself.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  });
}
