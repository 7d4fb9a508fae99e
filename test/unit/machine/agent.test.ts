import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  afterEach,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { writeAtomically } from "../../../infra/machine/write-atomically.ts";
import { HaproxyRuntime } from "../../../infra/machine/agent/haproxy.ts";
import { poll } from "../../../infra/machine/agent/poll.ts";
import { DirectoryStore } from "../../../infra/machine/store/directory.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daytona-edge-agent-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("writeAtomically", () => {
  test("writes with the mode, and says whether anything changed", async () => {
    const file = join(directory, "deep/file");
    expect(await writeAtomically(file, "a", 0o600)).toBe(true);
    expect(await writeAtomically(file, "a", 0o600)).toBe(false);
    expect(await writeAtomically(file, "b", 0o600)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("b");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("an equal file with a wider mode is narrowed", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "secret", { mode: 0o644 });
    await writeAtomically(file, "secret", 0o600);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("the content is on the disk before the name is, and then the name", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "old");
    const handle = await open(file);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const synced: string[] = [];
    vi.spyOn(prototype, "sync").mockImplementation(function (this: FileHandle) {
      const what = readlinkSync(`/proc/self/fd/${String(this.fd)}`);
      synced.push(`${what}: ${readFileSync(file, "utf8")}`);
      fsyncSync(this.fd);
      return Promise.resolve();
    });
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    await writeAtomically(file, "new", 0o600);
    expect(synced).toEqual([
      `${directory}/.file.new: old`,
      `${directory}: new`,
    ]);
  });

  test("what a crash has left for all to read is not written to", async () => {
    const file = join(directory, "file");
    writeFileSync(join(directory, ".file.new"), "", { mode: 0o666 });
    const left = openSync(join(directory, ".file.new"), "r");
    await writeAtomically(file, "secret", 0o600);
    expect(readFileSync(left, "utf8")).toBe("");
    closeSync(left);
  });

  test("one that fails leaves nothing beside the file", async () => {
    mkdirSync(join(directory, "taken/inside"), { recursive: true });
    await expect(
      writeAtomically(join(directory, "taken"), "text", 0o600),
    ).rejects.toThrow();
    expect(readdirSync(directory)).toEqual(["taken"]);
  });

  test("what a crash leaves is no certificate to HAProxy", async () => {
    const leaf = join(directory, "leaves/host.pem");
    const seen = new Set<string>();
    mkdirSync(dirname(leaf));
    const watcher = watch(dirname(leaf), (_, name) => seen.add(name ?? ""));
    await writeAtomically(leaf, "text", 0o600);
    await expect.poll(() => [...seen]).toContain("host.pem");
    watcher.close();
    expect([...seen].sort()).toEqual([".host.pem.new", "host.pem"]);
  });
});

describe("poll", () => {
  /** In one step, as stores do: a poll between two would read half of it. */
  const put = (content: string) =>
    writeAtomically(join(directory, "rules"), content, 0o600);

  test("a bad document is said once, and the last good stays live", async () => {
    const lines: string[] = [];
    const store = new DirectoryStore(directory);
    const statusFile = join(directory, "status.json");
    const stop = new AbortController();
    const status = () =>
      JSON.parse(readFileSync(statusFile, "utf8")) as {
        rules: { live?: string; error?: string };
      };
    let wentLive = 0;
    const polling = poll({
      store,
      documents: [
        {
          name: "rules",
          apply: (content) => {
            const text = content.toString();
            if (text.includes("bad")) return Promise.reject(new Error(text));
            return Promise.resolve(text);
          },
        },
      ],
      inPlace: () => Promise.resolve("in place"),
      intervalMs: 10,
      statusFile,
      log: (line) => lines.push(line),
      onLive: () => {
        wentLive++;
        return Promise.resolve();
      },
      signal: stop.signal,
    });
    await expect.poll(() => lines).toEqual(["rules: not in the store yet"]);
    expect(wentLive).toBe(0);
    await put("good");
    await expect.poll(() => status().rules.live).toBe("good");
    await put("bad");
    await expect
      .poll(() => status().rules)
      .toEqual({ live: "good", error: "bad" });
    // Some more looks at the same document, each of which could say it again.
    await new Promise((resolve) => setTimeout(resolve, 80));
    stop.abort();
    await polling;
    expect(wentLive).toBe(1);
    expect(lines).toEqual([
      "rules: not in the store yet",
      "rules: good",
      "rules: bad",
    ]);
  });

  test("a status that cannot be written is said once, and ends nothing", async () => {
    const lines: string[] = [];
    const stop = new AbortController();
    await put("first");
    mkdirSync(join(directory, "status.json"));
    const polling = poll({
      store: new DirectoryStore(directory),
      documents: [
        {
          name: "rules",
          apply: (content) => Promise.resolve(content.toString()),
        },
      ],
      inPlace: () => Promise.resolve("in place"),
      intervalMs: 10,
      statusFile: join(directory, "status.json"),
      log: (line) => lines.push(line),
      signal: stop.signal,
    });
    await expect.poll(() => lines).toHaveLength(2);
    await put("second");
    await expect.poll(() => lines).toHaveLength(3);
    stop.abort();
    await polling;
    expect(lines).toEqual([
      "rules: first",
      expect.stringMatching(/^status: E\w+/),
      "rules: second",
    ]);
  });
});

describe("poll at rest", () => {
  /** As HAProxy and a disk are: apply makes them what the document says. */
  async function polled(inPlace?: (made: string) => Promise<unknown>) {
    const machine = { made: "", applied: 0 };
    const store = { content: "first" };
    const stop = new AbortController();
    const polling = poll({
      store: { read: () => Promise.resolve(store.content) },
      documents: [
        {
          name: "rules",
          apply: (content) => {
            machine.applied++;
            machine.made = content;
            return content === "bad"
              ? Promise.reject(new Error(content))
              : Promise.resolve(content);
          },
        },
      ],
      inPlace: () => (inPlace ?? ((it) => Promise.resolve(it)))(machine.made),
      intervalMs: 5,
      statusFile: join(directory, "status.json"),
      log: () => undefined,
      signal: stop.signal,
    });
    onTestFinished(async () => {
      stop.abort();
      await polling;
    });
    await expect.poll(() => machine.made).toBe("first");
    await pause();
    return { machine, store };
  }
  const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

  test("nothing is applied while nothing changes", async () => {
    const { machine } = await polled();
    const { applied } = machine;
    expect(applied).toBeLessThanOrEqual(3);
    await pause();
    expect(machine.applied).toBe(applied);
  });

  test("another document is applied", async () => {
    const { machine, store } = await polled();
    store.content = "second";
    await expect.poll(() => machine.made).toBe("second");
  });

  test("what another program changes is repaired, each time", async () => {
    const { machine } = await polled();
    for (const lost of ["", "half", ""]) {
      machine.made = lost;
      await expect.poll(() => machine.made).toBe("first");
    }
  });

  test("a status file that is lost is written again", async () => {
    await polled();
    rmSync(join(directory, "status.json"));
    await expect.poll(() => readdirSync(directory)).toContain("status.json");
  });

  test("what fails is tried again and again", async () => {
    const { machine, store } = await polled();
    store.content = "bad";
    await expect.poll(() => machine.applied).toBeGreaterThan(10);
  });

  test.each([
    ["cannot be told", () => Promise.reject(new Error("no answer"))],
    ["is not all that counts", () => Promise.resolve(undefined)],
  ])(
    "all is applied again and again where what is in place %s",
    async (_, inPlace) => {
      const { machine } = await polled(inPlace);
      await expect.poll(() => machine.applied).toBeGreaterThan(10);
    },
  );

  test("certificates age: after a minute it is applied again", async () => {
    const { machine } = await polled();
    const { applied } = machine;
    const now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now + 61_000);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    await expect.poll(() => machine.applied).toBeGreaterThan(applied);
  });

  test("a new document does not wait for a program that does not answer", async () => {
    const answers: (() => void)[] = [];
    let hangs = false;
    const { machine, store } = await polled((made) =>
      hangs
        ? new Promise((resolve) => {
            answers.push(() => {
              resolve(made);
            });
          })
        : Promise.resolve(made),
    );
    hangs = true;
    store.content = "second";
    await expect.poll(() => machine.made).toBe("second");
    hangs = false;
    for (const answer of answers) answer();
  });
});

describe("HaproxyRuntime", () => {
  let server: Server;
  let received: string[];
  let answers: Record<string, string>;

  beforeEach(async () => {
    received = [];
    answers = {};
    server = createServer((socket) => {
      socket.on("data", (chunk) => {
        const text = chunk.toString();
        received.push(text);
        const known = Object.keys(answers).find((key) => text.startsWith(key));
        socket.end(`${known === undefined ? "" : (answers[known] ?? "")}\n`);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(join(directory, "haproxy.sock"), resolve);
    });
  });
  afterEach(() => {
    server.close();
  });
  const runtime = () => new HaproxyRuntime(join(directory, "haproxy.sock"));

  test("a key that is there is set, never added a second time", async () => {
    await runtime().setMap("m", "k", "v");
    expect(received).toEqual(["set map m k v\n"]);
  });

  test("a key that is missing is added", async () => {
    answers["set map"] = "entry not found.";
    await runtime().setMap("m", "k", "v");
    expect(received).toEqual(["set map m k v\n", "add map m k v\n"]);
  });

  test("a certificate goes without empty lines, which would end it", async () => {
    answers["set ssl cert"] = "Transaction created for certificate c!";
    answers["commit ssl cert"] = "Committing c. Success!";
    await runtime().setCertificate("c", "LEAF\n\n\nCHAIN\n  \nKEY\n\n");
    expect(received[0]).toBe("set ssl cert c <<\nLEAF\nCHAIN\nKEY\n\n");
  });

  test("a refused certificate is taken back, with HAProxy's words", async () => {
    answers["set ssl cert"] = "Transaction created for certificate c!";
    answers["commit ssl cert"] = "inconsistencies between private key and cert";
    await expect(runtime().setCertificate("c", "X")).rejects.toThrow(
      "certificate c: inconsistencies",
    );
    expect(received.at(-1)).toBe("abort ssl cert c\n");
  });
});
