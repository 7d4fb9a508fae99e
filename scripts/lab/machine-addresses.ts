/** Where Daytona's stand-ins are; all but the first are for tests. */
export const daytonaMachines = {
  daytona: { ipv4: "198.18.0.3", ipv6: "2001:db8:198:18::3" },
  server: { ipv4: "198.18.0.12", ipv6: "2001:db8:198:18::12" },
  "server-two": { ipv4: "198.18.0.13", ipv6: "2001:db8:198:18::13" },
  "server-three": { ipv4: "198.18.0.15", ipv6: "2001:db8:198:18::15" },
  "server-bare": { ipv4: "198.18.0.16", ipv6: "2001:db8:198:18::16" },
  /** Daytona as its compose file makes it: the runner in a container. */
  "server-compose": { ipv4: "198.18.0.17", ipv6: "2001:db8:198:18::17" },
  "server-edge": { ipv4: "198.18.0.14", ipv6: "2001:db8:198:18::14" },
} as const;

/** Servers that become edges. */
export const edgeAddresses = {
  edge: { ipv4: "198.18.0.4", ipv6: "2001:db8:198:18::4" },
  "edge-signed": { ipv4: "198.18.0.5", ipv6: "2001:db8:198:18::5" },
  /** For tests: a second edge of either stack. */
  "edge-spare": { ipv4: "198.18.0.6", ipv6: "2001:db8:198:18::6" },
} as const;

/** For tests: machines that believe to be on EC2. */
export const awsMachines = {
  "aws-edge": { ipv4: "198.18.0.10", ipv6: "2001:db8:198:18::10" },
  "aws-gateway": { ipv4: "198.18.0.11", ipv6: "2001:db8:198:18::11" },
} as const;
