/**
 * Ports and directories on a machine, each of them once. haproxy.cfg, units and
 * scripts repeat them, for they are files of their programs; a test compares
 * every occurrence with what stands here.
 */

/** Where an edge and a gateway say how they are: health, metrics, status. */
export const healthPort = 8404;
/** Where the edge's agent tells its HAProxy its own metrics; on the loopback. */
export const agentPort = 8405;
/** Where a gateway's recursor is asked by its own programs; on the loopback. */
export const recursorPort = 5353;
/** Where a server's other web server is told to listen that gives way to the edge. */
export const otherSitesPorts = { https: 8443, http: 8080 } as const;

/** Programs and scripts of all bundles. */
export const lib = "/usr/local/lib/daytona-edge";
export const systemd = "/etc/systemd/system";
/** What has to last; a directory of each program's own in there. */
export const state = "/var/lib/daytona-edge";
/** Documents of live state, where machines read them from a directory. */
export const store = `${state}/store`;

/** A bundle's configuration: an install replaces the directory. */
export function etc(bundle: string): string {
  return `/etc/daytona-edge/${bundle}`;
}

/** Sockets, and what is made anew at each start. */
export function run(program: "edge" | "gateway"): string {
  return `/run/daytona-${program}`;
}
