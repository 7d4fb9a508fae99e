/**
 * The edge in a real browser: its error pages, and links with a token.
 *
 * @module-tag edge
 */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  DOMAIN,
  FIRST_SANDBOX,
  SIGNED_DOMAIN,
  inLab,
  signedOutputs,
} from "./lab.ts";
import { claims, sign } from "./tokens.ts";

async function browse(scenario: string, url: string): Promise<unknown> {
  const { stdout, stderr } = await inLab([
    process.execPath,
    join(import.meta.dirname, "fixtures/browser.ts"),
    scenario,
    url,
  ]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}

interface ErrorPage {
  status: number;
  title: string;
  text: string;
  background: string;
  overflows: boolean;
  asked: string[];
  violations: string[];
}

describe("the page of an error", () => {
  const url = `https://${FIRST_SANDBOX}-2280.${DOMAIN}/`;
  let pages: ErrorPage[];
  beforeAll(async () => {
    pages = (await browse("error", url)) as ErrorPage[];
  });

  test("says what happened, for whom, its request, and what to do", () => {
    for (const page of pages) {
      expect(page.status).toBe(403);
      expect(page.title).toBe("This port is closed");
      expect(page.text).toMatch(/port_denied\s+This port is closed/);
      expect(page.text).toContain("Let the application listen on another port");
      expect(page.text).toMatch(
        new RegExp(`Sandbox\\s+${FIRST_SANDBOX}\\s+Port\\s+2280`),
      );
      expect(page.text).toMatch(/Request\s+[0-9a-f-]{36}/);
    }
  });

  test("is accessible in light, in dark and on a small screen", () => {
    expect(pages.map(({ violations }) => violations)).toEqual([[], [], []]);
    expect(pages.map(({ overflows }) => overflows)).toEqual(
      pages.map(() => false),
    );
    const [light, dark] = pages.map(({ background }) => background);
    expect(light).not.toBe(dark);
  });

  test("loads nothing else", () => {
    for (const { asked } of pages) expect(asked).toEqual([url]);
  });

  test("is never what a script, an image or a fetch gets", async () => {
    const refused = `https://${FIRST_SANDBOX}-3000.${DOMAIN}/.well-known/acme-challenge/x`;
    expect(await browse("resources", refused)).toMatchObject({
      fetch: "application/json",
      script: "application/json",
      image: "application/json",
    });
  });
});

interface Inside {
  inside: {
    address: string;
    referrer: string;
    document: string;
    seen: { headers: Record<string, string> };
    echo: string;
    cookie: string;
  };
  cookies: {
    name: string;
    value: string;
    domain: string;
    httpOnly: boolean;
    secure: boolean;
    sameSite: string;
    expires: number;
    partitionKey?: string;
  }[];
}

describe("a link with a token", () => {
  const host = `${FIRST_SANDBOX}-3000.${SIGNED_DOMAIN}`;
  const link = async () => {
    const { key } = (await signedOutputs()).access;
    const payload = claims(FIRST_SANDBOX);
    const token = sign(key, payload);
    const url = `https://${host}/headers?a=1&__sandbox_token=${token}&b=2`;
    return { token, url, exp: payload.exp };
  };

  test.each(["signed", "frame"])(
    "opens the application, which never sees it: %s",
    async (scenario) => {
      const { token, url, exp } = await link();
      const { inside, cookies } = (await browse(scenario, url)) as Inside;
      expect(inside.address).toBe(`https://${host}/headers?a=1&b=2`);
      expect(inside.echo).toBe("echo");
      const cookie = cookies.find(({ name }) => name === "__Host-sandbox");
      expect(cookie).toMatchObject({
        value: token,
        domain: host,
        httpOnly: true,
        secure: true,
        sameSite: "None",
      });
      // As long as the token, counted from when the browser was told so.
      expect(cookie?.expires).toBeGreaterThan(exp - 2);
      expect(cookie?.expires).toBeLessThan(exp + 300);
      // In a frame it belongs to the site around it, and to no other.
      expect(cookie?.partitionKey).toMatch(
        scenario === "frame" ? /lumilink\.example/ : /defikit\.net/,
      );
      const { document, referrer, seen } = inside;
      const all = JSON.stringify([document, referrer, seen, inside.cookie]);
      expect(all).not.toContain(token.slice(-20));
      expect(all).not.toContain("__sandbox_token");
    },
  );
});
