/** All name servers of the lab's internet, and how Cloudflare's zone gets there. */
import type { DnsRecord } from "./cloudflare/record.ts";
import { cloudflareZone } from "./cloudflare/zone.ts";
import { openReply } from "./dns/open-resolver.ts";
import type { QueryLog } from "./dns/query-log.ts";
import { authoritativeReply } from "./dns/reply.ts";
import { ZoneReplica } from "./dns/replica.ts";
import { rootZone } from "./dns/root-zone.ts";
import { startDnsServer } from "./dns/server.ts";
import {
  type LabHost,
  awsHosts,
  cloudflareProxy,
  nameServers,
  outsideResolvers,
  rootServer,
  staticHosts,
  strayAnswer,
} from "./hosts.ts";

const bothNameServers = [nameServers.first, nameServers.second];

export class NameService {
  /** By the name of the name server. */
  readonly replicas: Readonly<Record<string, ZoneReplica>>;
  readonly #zoneName: string;
  readonly #root;
  readonly #first: ZoneReplica;
  readonly #second: ZoneReplica;
  #serial = Math.floor(Date.now() / 1000);

  constructor(zoneName: string, records: readonly DnsRecord[]) {
    this.#zoneName = zoneName;
    this.#root = rootZone({
      rootServer,
      hosts: [...staticHosts, ...awsHosts],
      delegation: { name: zoneName, nameServers: bothNameServers },
    });
    const zone = this.#zoneOf(records);
    this.#first = new ZoneReplica(zone);
    this.#second = new ZoneReplica(zone);
    this.replicas = {
      [nameServers.first.name]: this.#first,
      [nameServers.second.name]: this.#second,
    };
  }

  /** Makes these the records that Cloudflare's name servers have. */
  publish(records: readonly DnsRecord[]): void {
    const zone = this.#zoneOf(records);
    for (const replica of Object.values(this.replicas)) replica.publish(zone);
  }

  /** Starts all servers on their own addresses. */
  async start(log: QueryLog): Promise<void> {
    const root = this.#root;
    const serve = (
      { ipv4, ipv6 }: LabHost,
      recursive: boolean,
      resolve: Parameters<typeof startDnsServer>[0]["resolve"],
    ) =>
      [ipv4, ipv6].map((address) =>
        startDnsServer({ address, port: 53, resolve, recursive, log }),
      );
    await Promise.all([
      // The root and Cloudflare's first are one machine, as the lab's clients
      // ask it for everything.
      ...serve(nameServers.first, false, (name, type) =>
        authoritativeReply([root, this.#first.zone], name, type),
      ),
      ...serve(nameServers.second, false, (name, type) =>
        authoritativeReply([this.#second.zone], name, type),
      ),
      ...outsideResolvers.flatMap((resolver) =>
        serve(resolver, true, (name, type) =>
          openReply([root, this.#first.zone], strayAnswer, name, type),
        ),
      ),
    ]);
  }

  #zoneOf(records: readonly DnsRecord[]) {
    return cloudflareZone({
      name: this.#zoneName,
      nameServers: bothNameServers,
      serial: this.#serial++,
      records,
      proxy: cloudflareProxy,
    });
  }
}
