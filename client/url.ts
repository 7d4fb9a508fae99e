import type { StackOutputs } from "./outputs.ts";

/** A port of a sandbox, and a path there. */
export interface SandboxAddress {
  /** Id of the sandbox: UUID, version 4, lower case. */
  readonly sandbox: string;
  /** 1 to 65535, and none of `deniedPorts`. */
  readonly port: number;
  /** Path and query, which begin with "/"; "/" when absent. */
  readonly path?: string;
}

const uuid4 =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * The address of a port of a sandbox, for `fetch`. Whatever the path is, the
 * address stays at that sandbox.
 * @throws TypeError that names every part that is wrong, and why
 */
export function sandboxUrl(
  outputs: Pick<StackOutputs, "urlTemplate" | "deniedPorts">,
  { sandbox, port, path = "/" }: SandboxAddress,
): string {
  const problems = [
    ...placeProblems(sandbox, port),
    ...(outputs.deniedPorts.includes(port)
      ? [`port: ${String(port)} is refused on every sandbox`]
      : []),
    ...(path.startsWith("/")
      ? []
      : [`path: ${JSON.stringify(path)} does not begin with "/"`]),
  ];
  if (problems.length > 0) {
    throw new TypeError(`No address of a sandbox:\n  ${problems.join("\n  ")}`);
  }
  const origin = outputs.urlTemplate
    .replace("{sandboxId}", sandbox)
    .replace("{port}", String(port));
  // Put together as text: "//host" as a relative URL would be another host.
  return new URL(`${origin}${path}`).href;
}

/** What is wrong with a sandbox's id or a port; empty when nothing is. */
export function placeProblems(sandbox: string, port: number): string[] {
  return [
    ...(uuid4.test(sandbox)
      ? []
      : [
          `sandbox: ${JSON.stringify(sandbox)} is not a lower-case UUID of version 4`,
        ]),
    ...(Number.isInteger(port) && port >= 1 && port <= 65_535
      ? []
      : [`port: ${String(port)} is not a whole number from 1 to 65535`]),
  ];
}
