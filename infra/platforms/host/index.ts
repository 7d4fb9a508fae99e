/**
 * Existing servers, by SSH: the edge and the certificate's timer on one, a
 * gateway on each that sandboxes run on. Often all of it is one server.
 */
import * as pulumi from "@pulumi/pulumi";
import { edgeBundle } from "../../edge/bundle.ts";
import { noRevocations } from "../../edge/revocations.ts";
import { gatewayAddress } from "../../gateway/address.ts";
import { gatewayBundle } from "../../gateway/bundle.ts";
import { accessKeys, revocations } from "../../machine/live-state.ts";
import type { Platform, PlatformArgs } from "../platform.ts";
import { BaseSystem } from "./base-system.ts";
import { Certificate } from "./certificate.ts";
import { Edge } from "./edge.ts";
import { Gateway } from "./gateway.ts";
import { InstalledBundle } from "./installed-bundle.ts";
import { LiveState } from "./live-state.ts";
import { serverFirewallBundle } from "./server-firewall.ts";
import { lookBeforeInstall } from "./look.ts";
import type { Login, Server } from "./server.ts";
import { type HostSettings, publicAddresses, serversOf } from "./settings.ts";

export interface HostPlatformArgs extends PlatformArgs {
  readonly settings: HostSettings;
  /** Key that may log in to the servers; the SSH agent's when absent. */
  readonly privateKey: pulumi.Input<string> | undefined;
}

/**
 * Looks at every server before anything is planned for it.
 * @throws pulumi.RunError when an update cannot log in to one
 */
export async function hostPlatform(
  name: string,
  args: HostPlatformArgs,
): Promise<HostPlatform> {
  const { settings, privateKey } = args;
  const logins = await Promise.all(
    serversOf(settings).map(async (server): Promise<Login> => {
      const look = await lookBeforeInstall(server, privateKey);
      return { server, privateKey, look };
    }),
  );
  return new HostPlatform(name, args, logins);
}

export class HostPlatform extends pulumi.ComponentResource implements Platform {
  readonly edge: Platform["edge"];
  readonly gateway: Platform["gateway"];
  /** Of an existing server nothing of ours is to be left. */
  readonly keepsRecords = false;
  /** One for each server. */
  private readonly logins: readonly Login[];

  constructor(
    name: string,
    args: HostPlatformArgs,
    logins: readonly Login[],
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("daytona-edge:host:Platform", name, {}, opts);
    const { config, settings } = args;
    const inside = { parent: this };
    this.logins = logins.map((login) => ({
      ...login,
      baseSystem: new BaseSystem(
        `${name}-base-system-${login.server.address}`,
        { login, source: settings.baseSystem },
        inside,
      ),
    }));
    const login = this.loginTo(settings);
    this.serverFirewalls(name, settings);

    const certificate = new Certificate(
      `${name}-certificate`,
      {
        login,
        config,
        cloudflareUrl: args.cloudflareUrl,
        credentials: args.certificateCredentials,
      },
      inside,
    );
    const firstRevocations = new LiveState(
      `${name}-revocations`,
      {
        login,
        document: `store/${revocations.name}`,
        content: noRevocations,
        onlyWhenMissing: true,
      },
      inside,
    );
    const access =
      args.access &&
      new LiveState(
        `${name}-access`,
        {
          login,
          document: `store/${accessKeys.name}`,
          content: args.access,
        },
        inside,
      );
    new Edge(
      `${name}-edge`,
      {
        login,
        bundle: edgeBundle({
          ...config,
          listen: settings.listen,
          otherSites: settings.otherSites,
        }),
        liveState: pulumi
          .all([
            certificate.issued,
            firstRevocations.written,
            access ? access.written : "",
          ])
          .apply(() => "written"),
      },
      inside,
    );
    this.gateway = this.gateways(name, args);
    this.edge = publicAddresses(settings);
    this.registerOutputs({});
  }

  /** What is open to the outside, on each server. */
  private serverFirewalls(name: string, settings: HostSettings): void {
    // Daytona's proxy may be on another server than the edge.
    const edge = publicAddresses(settings).ipv4.map((ip) => `${ip}/32`);
    const bundle = serverFirewallBundle({
      ...settings,
      operators: [...settings.operators, ...edge],
    });
    for (const login of this.logins) {
      new InstalledBundle(
        `${name}-firewall-${login.server.address}`,
        { login, bundle },
        { parent: this },
      );
    }
  }

  /** One on each server that sandboxes run on, with an authority of its own. */
  private gateways(
    name: string,
    { config, settings, egressCredentials }: HostPlatformArgs,
  ): Platform["gateway"] {
    const { egress } = config;
    if (!egress?.gateway) return undefined;
    const bundle = gatewayBundle({ ...egress, ...egress.gateway });
    const gateways = (settings.runners ?? [settings]).map(
      (server) =>
        new Gateway(
          `${name}-gateway-${server.address}`,
          {
            login: this.loginTo(server),
            bundle,
            credentials: egressCredentials,
          },
          { parent: this },
        ),
    );
    return {
      address: gatewayAddress,
      caCertificate: pulumi
        .all(gateways.map(({ caCertificate }) => caCertificate))
        .apply((certificates) => certificates.join("")),
    };
  }

  private loginTo({ address }: Server): Login {
    const login = this.logins.find(({ server }) => server.address === address);
    if (!login) throw new Error(`Nobody logs in to ${address}`);
    return login;
  }
}
