/**
 * Ports that Daytona v0.190.0's compose file publishes on all interfaces, and
 * who needs them: docker/docker-compose.yaml of daytonaio/daytona.
 */

export interface DaytonaPort {
  readonly port: number;
  readonly what: string;
  /** Whether people outside need it: it asks who they are. */
  readonly outside: boolean;
}

/** Its proxy's, which leads to sandboxes. */
export const proxyPort = 4000;

export const daytonaPorts: readonly DaytonaPort[] = [
  { port: 2222, what: "SSH gateway", outside: true },
  { port: 3000, what: "API and dashboard", outside: true },
  { port: 5556, what: "login (Dex)", outside: true },
  { port: 1080, what: "mail catcher", outside: false },
  { port: 3003, what: "runner: one password for all", outside: false },
  {
    port: proxyPort,
    what: "preview proxy: the edge is its way in",
    outside: false,
  },
  { port: 5050, what: "pgAdmin", outside: false },
  { port: 5100, what: "registry's pages", outside: false },
  { port: 5432, what: "PostgreSQL", outside: false },
  { port: 6000, what: "registry", outside: false },
  { port: 6379, what: "Redis, without password", outside: false },
  { port: 9000, what: "MinIO", outside: false },
  { port: 9001, what: "MinIO's console", outside: false },
  { port: 16686, what: "Jaeger", outside: false },
];
