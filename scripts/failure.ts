/** Runs a command's main function; a failure ends it with one clear message. */
export async function main(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = 1;
    console.error(
      error instanceof Error && !isOwnFault(error)
        ? `\n${error.message}`
        : `\n${error instanceof Error ? String(error.stack) : String(error)}`,
    );
  }
}

/** What no server and no operator can cause; where it was says more. */
function isOwnFault(error: Error): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some(
    (fault) => error instanceof fault,
  );
}
