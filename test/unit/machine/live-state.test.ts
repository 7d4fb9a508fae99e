/** The list of documents says what agents and programs really do. */
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import * as edge from "../../../infra/edge/agent.ts";
import * as gateway from "../../../infra/gateway/agent.ts";
import { bundledProgram } from "../../../infra/machine/bundled-program.ts";
import {
  accessKeys,
  certificateReport,
  documents,
  egressAuthority,
  namesReadBy,
} from "../../../infra/machine/live-state.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const names = (polled: readonly { readonly name: string }[]) =>
  polled.map(({ name }) => name).toSorted();
const all = (reader: "edge" | "gateway", but: readonly string[] = []) =>
  namesReadBy(reader)
    .filter((name) => !but.includes(name))
    .toSorted();

test("an edge polls what it is said to read; the report when it is asked", () => {
  const { name: report } = certificateReport;
  expect(names(edge.polledDocuments("example.net", "signed"))).toEqual(
    all("edge", [report]),
  );
  expect(names(edge.polledDocuments("example.net", "daytona"))).toEqual(
    all("edge", [report, accessKeys.name]),
  );
});

test("a gateway polls what it is said to read", () => {
  vi.stubEnv("GATEWAY_AUTHORITY", "store");
  expect(names(gateway.polledDocuments("169.254.20.1"))).toEqual(
    all("gateway"),
  );
  vi.stubEnv("GATEWAY_AUTHORITY", "own");
  expect(names(gateway.polledDocuments("169.254.20.1"))).toEqual(
    all("gateway", [egressAuthority.name]),
  );
});

test.each([
  [edge.runAgent, "EDGE_DOMAIN", "edge"],
  [gateway.runAgent, "GATEWAY_ADDRESS", "gateway"],
] as const)(
  "an agent begins nothing without its settings: %o %s",
  (runAgent, variable, of) => {
    vi.stubEnv(variable, undefined);
    expect(runAgent).toThrow(
      `${variable} is not set; /etc/daytona-edge/${of}/env has to set it`,
    );
  },
);

test.each(documents)("$name has a reader and a writer", (document) => {
  expect(document.readBy).not.toEqual([]);
  expect(document.writtenBy).not.toEqual([]);
  expect(() => document.parse("{")).toThrow();
});

/** Else a change of a rule's syntax would replace the edges of a stack on AWS. */
test.each([
  ["edge", "two keys have one name", "it needs 8 to 2000 letters"],
  ["gateway", "it needs 8 to 2000 letters", "two keys have one name"],
])("the %s agent holds no checks but its own", (of, own, other) => {
  const entry = join(import.meta.dirname, `../../../infra/${of}/main.ts`);
  const program = Buffer.from(bundledProgram(entry)).toString();
  expect([own, other].map((text) => program.includes(text))).toEqual([
    true,
    false,
  ]);
});
