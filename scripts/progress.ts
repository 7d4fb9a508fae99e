/** Progress of long work for the person who waits: one line a step, with its time. */
const isTerminal = process.stderr.isTTY;

/** How often a step that is still running says so, in milliseconds. */
const heartbeat = isTerminal ? 1_000 : 20_000;

/** What a running step can say about itself. */
export type Report = (detail: string) => void;

/** Runs one step and prints its title and how long it took. */
export async function step<T>(
  title: string,
  work: (report: Report) => Promise<T>,
): Promise<T> {
  const start = performance.now();
  let detail = "";
  const seconds = () =>
    `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`;
  const line = (mark: string) =>
    `${mark} ${seconds()}  ${title}${detail === "" ? "" : `: ${detail}`}`;
  const show = () => {
    process.stderr.write(
      isTerminal
        ? `\r\u001B[K${line("…").slice(0, process.stderr.columns)}`
        : `${line("…")}\n`,
    );
  };
  const timer = setInterval(show, heartbeat);
  try {
    const result = await work((text) => {
      detail = text;
      if (isTerminal) show();
    });
    finish("✓");
    return result;
  } catch (error) {
    finish("✗");
    throw error;
  } finally {
    clearInterval(timer);
  }

  function finish(mark: string): void {
    process.stderr.write(`${isTerminal ? "\r\u001B[K" : ""}${line(mark)}\n`);
  }
}
