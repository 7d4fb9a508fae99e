import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const infra = join(import.meta.dirname, "../../../infra");

// Otherwise one takes all connections of the process, those of the others too.
test.each(["edge/haproxy.cfg", "gateway/haproxy.cfg"])(
  "each listener of %s has a bound of its own",
  (configuration) => {
    const listeners = readFileSync(join(infra, configuration), "utf8")
      .split(/^(?=\w)/m)
      .filter((section) => /^frontend [^]*^ {2}bind (?!abns@)/m.test(section));
    expect(listeners.length).toBeGreaterThan(2);
    for (const listener of listeners) {
      expect(listener).toMatch(/^ {2}maxconn \S+$/m);
    }
  },
);
