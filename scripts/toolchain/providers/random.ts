/** Stand-in of the `random` provider. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Properties } from "./properties.ts";
import type { ResourceType } from "./server.ts";

const classes = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

/** Every input of a random value decides it; a change makes another one. */
const inputs = [
  "keepers",
  "byteLength",
  "prefix",
  "length",
  "lower",
  "upper",
  "numeric",
  "special",
  "overrideSpecial",
];

export const randomTypes: Record<string, ResourceType> = {
  "random:index/randomId:RandomId": {
    computed: ["b64Std", "b64Url", "dec", "hex"],
    replaceOn: inputs,
    create: (given) => {
      const bytes = randomBytes(Number(given.byteLength));
      const prefix = typeof given.prefix === "string" ? given.prefix : "";
      const hex = bytes.toString("hex");
      return Promise.resolve({
        id: bytes.toString("base64url"),
        outputs: {
          hex: prefix + hex,
          dec: prefix + BigInt(`0x${hex}`).toString(),
          b64Std: prefix + bytes.toString("base64"),
          b64Url: prefix + bytes.toString("base64url"),
        },
      });
    },
  },
  "random:index/randomUuid:RandomUuid": {
    computed: ["result"],
    replaceOn: inputs,
    create: () => {
      const result = randomUUID();
      return Promise.resolve({ id: result, outputs: { result } });
    },
  },
  "random:index/randomPassword:RandomPassword": {
    computed: ["result", "bcryptHash"],
    replaceOn: inputs,
    create: (given) =>
      Promise.resolve({ id: "none", outputs: { result: characters(given) } }),
  },
};

function characters(given: Properties): string {
  const alphabet = Object.entries(classes)
    .filter(([name]) => given[name] !== false)
    .map(([name, set]) =>
      name === "special" && typeof given.overrideSpecial === "string"
        ? given.overrideSpecial
        : set,
    )
    .join("");
  return Array.from({ length: Number(given.length) }, () =>
    alphabet.charAt(randomInt(alphabet.length)),
  ).join("");
}
