/** What names of instance types say. */

export type Architecture = "arm64" | "amd64";

/**
 * Of the processor, which the letters after the generation say: `g` is Graviton.
 * @param type for example `c7g.medium`
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
 */
export function architectureOf(type: string): Architecture {
  const [, family, attributes = ""] = /^([a-z]+)\d+([a-z]*)/.exec(type) ?? [];
  // The first Graviton is older than the letter.
  return family === "a" || attributes.includes("g") ? "arm64" : "amd64";
}
