// Plain JavaScript, as whoever imports it: it must run on any Node.
import pulumi from "@pulumi/pulumi";

/** The oldest Node that runs TypeScript and `await using` as they stand here. */
const oldest = 24;

/**
 * Pulumi takes the Node that the shell has, which may be too old for the program.
 * @throws RunError with the lines to type
 */
export function checkNode() {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= oldest) return;
  throw new pulumi.RunError(
    [
      `Node.js ${node} runs Pulumi's program here, and it takes ${oldest} or newer. On Linux the packages bring one; type, in the checkout's root:`,
      "  npm ci",
      '  export PATH="$PWD/node_modules/.bin:$PATH"',
      "Elsewhere install it: https://nodejs.org/en/download",
    ].join("\n"),
  );
}
