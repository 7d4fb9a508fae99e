import { describe, expect, it } from "vitest";
import {
  type AccessDirectory,
  type Credentials,
  decideAccess,
} from "../../../scripts/lab/daytona/server/access.ts";

/** "open" is public, "shut" is not, "signed0" is a signed token for 3000. */
const directory: AccessDirectory = {
  isPublic: (id) => id === "open",
  hasAccess: (id, key) => key === "key" && ["open", "shut"].includes(id),
  isPreviewToken: (id, token) => token === `token of ${id}`,
  sandboxOfSignedToken: (token, port) =>
    token === "signed0" && port === "3000" ? "shut" : undefined,
  sandboxOfCookie: (name, sealed) =>
    sealed === `sealed ${name}` ? "shut" : undefined,
};

function by(target: string, port: string, credentials: Credentials = {}) {
  return decideAccess({ target, port }, credentials, directory).by;
}

describe("decideAccess", () => {
  it.each([
    ["open", "3000", "public"],
    ["open", "6080", "public"],
    ["open", "22220", "public"],
    ["open", "2280", "nothing"],
    ["open", "22222", "nothing"],
    ["open", "33333", "nothing"],
    // daytonaio/daytona#5147: another spelling of a guarded port.
    ["open", "02280", "public"],
    ["open", "+2280", "public"],
    ["shut", "3000", "nothing"],
    ["unknown", "3000", "nothing"],
    ["signed0", "3000", "signed"],
    ["signed0", "3001", "nothing"],
  ])("without a credential, %s on %s: %s", (target, port, expected) => {
    expect(by(target, port)).toBe(expected);
  });

  const all: Credentials = {
    bearer: "key",
    previewToken: "token of shut",
    queryToken: "token of shut",
    cookie: "sealed daytona-sandbox-auth-shut",
  };

  it.each([
    ["bearer", all],
    ["header", { ...all, bearer: "the app's own" }],
    ["query", { ...all, bearer: undefined, previewToken: "token of open" }],
    ["cookie", { cookie: all.cookie }],
    ["nothing", { cookie: "sealed daytona-sandbox-auth-open" }],
    ["nothing", { bearer: "", previewToken: "", queryToken: "", cookie: "" }],
  ])("opens a private sandbox by %s", (expected, credentials) => {
    expect(by("shut", "3000", credentials)).toBe(expected);
  });

  it("lets a cookie through to a guarded port, as Daytona does", () => {
    const cookie = "sealed daytona-sandbox-auth-signed0";
    expect(by("signed0", "2280", { cookie })).toBe("cookie");
  });
});
