import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestLab, apiKey, domain, privateId, startLab } from "./lab.ts";

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => {
  lab.close();
});

async function call(
  method: string,
  path: string,
  body?: unknown,
  key = apiKey,
) {
  const answer = await fetch(`http://127.0.0.1:${String(lab.api)}/api${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = (text === "" ? undefined : JSON.parse(text)) as Record<
    string,
    unknown
  >;
  return { status: answer.status, json };
}

it("leads a sandbox through its life", async () => {
  const created = await call("POST", "/sandbox", {
    name: "mine",
    env: { A: "b" },
  });
  expect(created.json).toMatchObject({
    name: "mine",
    public: false,
    state: "started",
    env: { A: "b" },
    toolboxProxyUrl: `https://${domain}/toolbox`,
  });
  const id = created.json.id as string;
  expect((await call("GET", "/sandbox/mine")).json.id).toBe(id);
  expect((await call("POST", "/sandbox", { name: "mine" })).status).toBe(409);
  const opened = await call("POST", "/sandbox/mine/public/true");
  expect(opened.json.public).toBe(true);

  const before = await call("GET", "/sandbox/mine/ports/3000/preview-url");
  expect(before.json).toMatchObject({
    sandboxId: id,
    url: `https://3000-${id}.${domain}`,
    token: expect.stringMatching(/^[0-9a-z]{32}$/) as string,
  });
  expect((await call("POST", "/sandbox/mine/stop")).json.state).toBe("stopped");
  expect((await call("POST", "/sandbox/mine/start")).json.state).toBe(
    "started",
  );
  const after = await call("GET", "/sandbox/mine/ports/3000/preview-url");
  expect(after.json.token).not.toBe(before.json.token);

  expect((await call("DELETE", `/sandbox/${id}`)).json.state).toBe("destroyed");
  const gone = await call("GET", `/sandbox/${id}`);
  expect(gone.status).toBe(404);
  expect(gone.json).toMatchObject({
    statusCode: 404,
    code: "NOT_FOUND",
    path: `/api/sandbox/${id}`,
    method: "GET",
  });
});

it("makes a sandbox of a snapshot that it has", async () => {
  const made = await call("POST", "/sandbox", { snapshot: "known" });
  expect(made.json.snapshot).toBe("known");
  await call("DELETE", `/sandbox/${made.json.id as string}`);
  const refused = await call("POST", "/sandbox", { snapshot: "unknown" });
  expect(refused.status).toBe(400);
  expect(refused.json.message).toContain("unknown");
});

it("signs preview addresses for a second to a day", async () => {
  const path = `/sandbox/${privateId}/ports/3000/signed-preview-url`;
  const signed = await call("GET", `${path}?expiresInSeconds=86400`);
  expect(signed.json).toMatchObject({ sandboxId: privateId, port: 3000 });
  const token = signed.json.token as string;
  expect(signed.json.url).toBe(`https://3000-${token}.${domain}`);
  expect(lab.sandboxes.findSigned(token, "3000")?.id).toBe(privateId);
  expect((await call("POST", `${path}/${token}/expire`)).status).toBe(200);
  expect(lab.sandboxes.findSigned(token, "3000")).toBeUndefined();
  for (const seconds of ["0", "86401", "x"]) {
    const refused = await call("GET", `${path}?expiresInSeconds=${seconds}`);
    expect([seconds, refused.status]).toEqual([seconds, 400]);
  }
});

it("runs a command by the deprecated path", async () => {
  const path = `/toolbox/${privateId}/toolbox/process/execute`;
  const ran = await call("POST", path, { command: "echo hi" });
  expect(ran.json).toEqual({ exitCode: 0, result: "hi\n" });
  expect((await call("POST", path, { command: "id" }, "wrong")).status).toBe(
    401,
  );
});

it("refuses what Daytona refuses", async () => {
  expect((await call("GET", "/sandbox", undefined, "wrong")).status).toBe(401);
  expect((await call("GET", "/health", undefined, "wrong")).status).toBe(200);
  for (const body of [
    { public: "yes" },
    { env: { "A B": "c" } },
    // Not Daytona, but the stand-in: it has no network rules to give.
    { networkBlockAll: true },
  ]) {
    expect((await call("POST", "/sandbox", body)).status).toBe(400);
  }
  for (const port of ["0", "65536", "3000x"]) {
    const path = `/sandbox/${privateId}/ports/${port}/preview-url`;
    expect([port, (await call("GET", path)).status]).toEqual([port, 400]);
  }
});
