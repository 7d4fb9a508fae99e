import { describe, expect, it } from "vitest";
import { executeWords } from "../../../scripts/lab/daytona/toolbox/execute-words.ts";
import {
  ExecutionTimeout,
  execute,
} from "../../../scripts/lab/daytona/toolbox/execute.ts";
import { toolboxRoutes } from "../../../scripts/lab/daytona/toolbox/routes.ts";

describe("execute", () => {
  it("joins both streams in their order and gives the exit code", async () => {
    const command = "echo 1; echo 2 >&2; echo 3; exit 7";
    const result = await execute({ command });
    expect(result).toEqual({ exitCode: 7, result: "1\n2\n3\n" });
  });

  it("runs pipes, redirections, variables and a directory", async () => {
    const command = 'printf %s "$WORD $PWD" | tr a-z A-Z > /dev/stdout';
    const result = await execute({ command, envs: { WORD: "w" }, cwd: "/usr" });
    expect(result).toEqual({ exitCode: 0, result: "W /USR" });
  });

  it("holds more output than a pipe does", async () => {
    const command = "head -c 5000000 /dev/zero | tr '\\0' x";
    const { result } = await execute({ command });
    expect(result.length).toBe(5_000_000);
  });

  it("says -1 when nothing could be started", async () => {
    const result = await execute({ command: "true", cwd: "/no/such/place" });
    expect(result.exitCode).toBe(-1);
    expect(result.result).toContain("ENOENT");
  });

  it("says -1 when a signal ended it", async () => {
    const result = await execute({ command: "kill -9 $$" });
    expect(result.exitCode).toBe(-1);
  });

  it("ends the command and its children at the timeout", async () => {
    const marker = `sleep 9800.${String(process.pid)}`;
    const running = execute({ command: `${marker} & wait`, timeout: 0.2 });
    await expect(running).rejects.toThrow(ExecutionTimeout);
    // What a signal ends is in the process table for a moment longer.
    const left = async () => {
      const { result } = await execute({
        command: `pgrep -fx '${marker}' || echo none`,
      });
      return result;
    };
    await expect.poll(left).toBe("none\n");
  });
});

describe("executeWords, as before v0.156.0", () => {
  it.each([
    ["echo a > /tmp/x", { exitCode: 0, result: "a > /tmp/x\n" }],
    ["cd /tmp", { exitCode: -1, result: "" }],
    ["export A=1 && true", { exitCode: -1, result: "" }],
    [`sh -c 'echo "a b" | tr a-z A-Z'`, { exitCode: 0, result: "A B\n" }],
  ])("%s", async (command, result) => {
    expect(await executeWords({ command })).toEqual(result);
  });

  it("waits for the children of what took too long", async () => {
    const start = performance.now();
    const command = 'sh -c "sleep 1; true"';
    await expect(executeWords({ command, timeout: 0.1 })).rejects.toThrow(
      ExecutionTimeout,
    );
    expect(performance.now() - start).toBeGreaterThan(900);
  });

  it("is what a daemon of that version does", async () => {
    const answer = await toolboxRoutes("v0.155.0").request("/process/execute", {
      method: "POST",
      body: '{"command":"echo a && echo b"}',
    });
    expect(await answer.json()).toEqual({
      exitCode: 0,
      result: "a && echo b\n",
    });
  });
});

describe("toolboxRoutes", () => {
  const routes = toolboxRoutes("v0");
  const post = (body: string) =>
    routes.request("/process/execute", { method: "POST", body });

  it("answers a timeout as Daytona does", async () => {
    const answer = await post('{"command":"sleep 9","timeout":0.1}');
    expect(answer.status).toBe(408);
    expect(await answer.json()).toMatchObject({
      statusCode: 408,
      code: "REQUEST_TIMEOUT",
      path: "/process/execute",
      method: "POST",
    });
  });

  it.each(["", "{}", '{"command":""}', '{"command":["id"]}'])(
    "refuses the body %j",
    async (body) => {
      expect((await post(body)).status).toBe(400);
    },
  );
});
