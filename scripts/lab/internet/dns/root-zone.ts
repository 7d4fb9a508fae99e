/** The root of the lab's DNS: the delegation of the one zone, and the hosts. */
import type { LabHost } from "../hosts.ts";
import { type ResourceRecord, Zone } from "./zone.ts";

/** In seconds. */
const ttl = 300;
/** How long a denial is kept, in seconds; short, for the lab's tests. */
const negativeTtl = 60;

export interface RootZoneArgs {
  readonly rootServer: LabHost;
  readonly hosts: readonly LabHost[];
  /** A zone that others serve. */
  readonly delegation: {
    readonly name: string;
    readonly nameServers: readonly LabHost[];
  };
}

export function rootZone(args: RootZoneArgs): Zone {
  const { rootServer, hosts, delegation } = args;
  const records: ResourceRecord[] = [
    { type: "NS", name: "", ttl, data: rootServer.name },
    ...delegation.nameServers.map(({ name: data }): ResourceRecord => ({
      type: "NS",
      name: delegation.name,
      ttl,
      data,
    })),
    ...hosts.flatMap(({ name, ipv4, ipv6 }): ResourceRecord[] => [
      { type: "A", name, ttl, data: ipv4 },
      { type: "AAAA", name, ttl, data: ipv6 },
    ]),
  ];
  return new Zone(
    {
      type: "SOA",
      name: "",
      ttl,
      data: {
        mname: rootServer.name,
        rname: `hostmaster.${rootServer.name}`,
        serial: 1,
        refresh: 1800,
        retry: 900,
        expire: 604_800,
        minimum: negativeTtl,
      },
    },
    records,
  );
}
