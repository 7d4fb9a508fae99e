/**
 * The keys that sign sandbox tokens. Three are accepted at any time, so that a
 * rotation neither has to wait for the machines nor cuts a token that is valid:
 * the one before (its tokens live on), the current one (signs), and the next
 * (known everywhere before anybody signs with it).
 */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

export interface AccessKey {
  /** Names the key in a token's header (RFC 7515, section 4.1.4). */
  readonly kid: string;
  /** Its UTF-8 bytes are the HMAC key (RFC 7518, section 3.2). */
  readonly secret: string;
}

export interface AccessKeysArgs {
  /** One more for each rotation, from 1. */
  readonly generation: number;
}

export class AccessKeys extends pulumi.ComponentResource {
  /** The key to sign with; secret. */
  readonly current: pulumi.Output<AccessKey>;
  /** The live state `access.json` of an edge; secret. */
  readonly document: pulumi.Output<string>;

  constructor(
    name: string,
    { generation }: AccessKeysArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:AccessKeys", name, {}, opts);
    const key = (number: number): pulumi.Output<AccessKey> => {
      const kid = `key-${String(number)}`;
      // 48 of 62 characters are 285 bits; HS256 asks for 256.
      const { result } = new random.RandomPassword(
        `${name}-${kid}`,
        { length: 48, special: false },
        { parent: this },
      );
      return pulumi.secret({ kid, secret: result });
    };
    this.current = key(generation);
    const keys = [
      ...(generation > 1 ? [key(generation - 1)] : []),
      this.current,
      key(generation + 1),
    ];
    this.document = pulumi
      .all(keys)
      .apply((all) => JSON.stringify({ version: 1, keys: all }, undefined, 2));
    this.registerOutputs({});
  }
}
