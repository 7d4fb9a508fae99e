/** The base system on a server: what its edge and its gateway run from. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { baseSystemBundle } from "../../machine/base-system/bundle.ts";
import { InstalledBundle } from "./installed-bundle.ts";
import { repairOf } from "./look.ts";
import { type Login, connectionTo } from "./server.ts";
import type { HostSettings } from "./settings.ts";

export interface BaseSystemArgs {
  readonly login: Login;
  readonly source: HostSettings["baseSystem"];
}

export class BaseSystem extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: BaseSystemArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:BaseSystem", name, {}, opts);
    const { login, source = {} } = args;
    const { file, sha256 = "", mirror, securityMirror } = source;
    // A path is one of the computer that Pulumi runs on.
    const isLaid = file !== undefined && !file.includes("://");
    const place = isLaid ? `/tmp/daytona-edge-base-system-${sha256}` : file;
    const repair = login.look && repairOf(login.look, "base-system");
    const copied =
      isLaid &&
      new command.remote.CopyToRemote(
        `${name}-file`,
        {
          connection: connectionTo(login),
          source: new pulumi.asset.FileAsset(file),
          remotePath: place ?? "",
          // The server takes it away once it is unpacked.
          triggers: [repair],
        },
        { parent: this },
      );
    new InstalledBundle(
      name,
      {
        login,
        repair,
        bundle: baseSystemBundle({
          ...(place === undefined ? {} : { file: { place, sha256 } }),
          ...{ mirror, securityMirror },
        }),
      },
      { parent: this, ...(copied && { dependsOn: copied }) },
    );
    this.registerOutputs({});
  }
}
