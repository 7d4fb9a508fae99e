/** The roads to the origin that are compared; each has a host of its own. */
import type { RuleOptions } from "../../../infra/gateway/rules.ts";

export const roads = ["direct", "splice", "inspect", "credential"] as const;

export type Road = (typeof roads)[number];

/** files/recursor-roots.conf answers for all of them. */
export const hostOf = (road: string) => `${road}.bench.example`;

/** The value of the credential that the gateway puts in. */
export const secret = "sk-bench-0123456789abcdefghijklmnopqrstuvwxyz";

/** What a stack file would say of the roads through the gateway. */
export const rules: RuleOptions[] = [
  { url: `https://${hostOf("splice")}/*` },
  { url: `https://${hostOf("inspect")}/api/*` },
  {
    url: `https://${hostOf("credential")}/api/*`,
    credential: { header: "authorization", scheme: "Bearer", secret: "bench" },
  },
];

/**
 * The same roads in a long list: a quarter of the others are hosts that are
 * spliced, three quarters paths of as many hosts that are inspected.
 */
export function rulesAmong(count: number): RuleOptions[] {
  const others = Array.from({ length: count - rules.length }, (_, i) => {
    const path = i % 4;
    const host = String(Math.floor(i / 4));
    return path === 0
      ? { url: `https://${hostOf(`spliced-${host}`)}/*` }
      : {
          url: `https://${hostOf(`inspected-${host}`)}/api/v${String(path)}/*`,
          methods: ["GET", "POST"],
        };
  });
  return [...rules, ...others];
}
