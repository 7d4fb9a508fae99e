import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DirectoryStore } from "../../../../infra/machine/store/directory.ts";
import { temporaryDirectory } from "../../temporary.ts";

describe("a directory", () => {
  test("keeps documents for its owner only, and nothing else", async () => {
    const directory = join(await temporaryDirectory(), "deep", "store");
    const store = new DirectoryStore(directory);
    expect(await store.read("a.json")).toBeUndefined();
    await store.write("a.json", "one");
    await store.write("a.json", "two");
    expect(await store.read("a.json")).toBe("two");
    expect(await readdir(directory)).toEqual(["a.json"]);
    expect((await stat(join(directory, "a.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await store.remove("a.json");
    await store.remove("a.json");
    expect(await readdir(directory)).toEqual([]);
  });

  test("says which file could not be written, and why", async () => {
    const directory = join(await temporaryDirectory(), "store");
    await writeFile(directory, "in the way");
    await expect(
      new DirectoryStore(directory).write("a.json", ""),
    ).rejects.toThrow(`Cannot write ${directory}/a.json: EEXIST`);
  });

  test("never shows a reader half a document", async () => {
    const store = new DirectoryStore(await temporaryDirectory());
    const long = (letter: string) => letter.repeat(1_000_000);
    await store.write("a.json", long("a"));
    let done = false;
    const writing = (async () => {
      for (let turn = 0; turn < 10; turn++) {
        await store.write("a.json", long(turn % 2 === 0 ? "b" : "a"));
      }
      done = true;
    })();
    while (!done) {
      const text = await store.read("a.json");
      expect(text === long("a") || text === long("b")).toBe(true);
    }
    await writing;
  });
});

describe("the lock", () => {
  test("lets one run in at a time", async () => {
    const directory = await temporaryDirectory();
    const onWait = vi.fn();
    let inside = 0;
    const work = async () => {
      inside++;
      // The first stays until the others have found the lock taken.
      await vi.waitFor(
        () => {
          expect(onWait).toHaveBeenCalledTimes(2);
        },
        { timeout: 120_000 },
      );
      await sleep(30);
      expect(inside).toBe(1);
      inside--;
    };
    await Promise.all(
      [1, 2, 3].map(() => new DirectoryStore(directory, { onWait }).lock(work)),
    );
    expect(onWait).toHaveBeenCalledTimes(2);
  });

  test("is given back when the work fails", async () => {
    const store = new DirectoryStore(await temporaryDirectory());
    const failing = store.lock(() => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await store.lock(() => Promise.resolve("in"))).toBe("in");
  });

  test("is waited for, but not for ever", async () => {
    const directory = await temporaryDirectory();
    const holder = await lockHolder(directory);
    const store = new DirectoryStore(directory, { lockTimeout: 0.2 });
    await expect(store.lock(() => Promise.resolve())).rejects.toThrow(
      /\.lock is still locked by another run after 0.2 s/,
    );
    holder.kill("SIGKILL");
  });

  test("does not outlive the run that held it", async () => {
    const directory = await temporaryDirectory();
    const holder = await lockHolder(directory);
    holder.kill("SIGKILL");
    const store = new DirectoryStore(directory, { lockTimeout: 120 });
    expect(await store.lock(() => Promise.resolve("in"))).toBe("in");
  });
});

/** Another process that has the lock. */
async function lockHolder(directory: string) {
  const path = join(
    import.meta.dirname,
    "../../../../infra/machine/store/directory.ts",
  );
  const program = `
    import { DirectoryStore } from ${JSON.stringify(path)};
    await new DirectoryStore(${JSON.stringify(directory)}).lock(
      () => new Promise((never) => { setTimeout(never, 60_000); console.log("locked"); }),
    );`;
  const holder = spawn(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  return holder;
}
