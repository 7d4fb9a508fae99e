import { expect, test } from "vitest";
import { parseEgressRules } from "../../../infra/gateway/rules.ts";
import type { Denial } from "../../../scripts/egress/denials.ts";
import { whyNotLearnt } from "../../../scripts/egress/not-learnable.ts";

const { rules } = parseEgressRules([
  "https://openrouter.ai/api/v1/*",
  { url: "https://a.example/x", methods: ["GET"] },
]);

test.each<[Denial["by"], string, string, string | undefined]>([
  ["firewall", "address_not_allowed", "1.1.1.1 udp 53", "is an address"],
  ["proxy", "no_name", "", "an IP address cannot be allowed"],
  ["proxy", "host_not_allowed", "a%1b.example", "no name or path"],
  ["proxy", "host_not_allowed", "1.2.3.4", "no name or path"],
  ["proxy", "encrypted_hello", "b.example", "ech: allow"],
  [
    "proxy",
    "host_not_allowed",
    "b.example",
    "its rule would be https://b.example/*",
  ],
  [
    "proxy",
    "path_not_allowed",
    "GET openrouter.ai/status",
    "its rule would be https://openrouter.ai/status",
  ],
  ["proxy", "path_not_allowed", "GET openrouter.ai/%0A", "no name or path"],
  ["proxy", "method_not_allowed", "PUT a.example/x", "https://a.example/x"],
  ["resolver", "name_not_allowed", "b.example A", "only its name"],
  ["resolver", "name_not_allowed", "a\\032b.example A", "no name or path"],
  ["resolver", "name_not_allowed", "b.example TXT", "never answered"],
  // Allowed by now.
  ["proxy", "path_not_allowed", "GET openrouter.ai/api/v1/x", undefined],
  ["resolver", "name_not_allowed", "openrouter.ai A", undefined],
])("%s %s %j: %s", (by, reason, wanted, why) => {
  expect(whyNotLearnt({ by, reason, wanted }, rules)).toEqual(
    why === undefined ? undefined : (expect.stringContaining(why) as string),
  );
});
