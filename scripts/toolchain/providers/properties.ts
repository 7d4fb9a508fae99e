/** Property values as the engine sends them: with marks for unknown and secret. */
import structProto, {
  type JavaScriptValue,
  type Struct,
} from "google-protobuf/google/protobuf/struct_pb.js";
import { isDeepStrictEqual } from "node:util";

export type Properties = Record<string, unknown>;

/** The engine's mark for a value that is not known yet. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The engine's marks for a secret value. */
const signature = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** Top-level keys whose values differ; keys that start with "__" are the engine's. */
export function changedKeys(before: Properties, after: Properties): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => !key.startsWith("__"))
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .sort();
}

/** These names, each with a value that is not known yet. */
export function unknowns(names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, unknown]));
}

/** Whether anything in a value is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).some(hasUnknown)
  );
}

/** Those of the names that the state has. */
export function pick(state: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(
    names.filter((name) => name in state).map((name) => [name, state[name]]),
  );
}

/** What a message holds, with the secrets in plain. */
export function properties(value: Struct | undefined): Properties {
  return reveal(value?.toJavaScript() ?? {}) as Properties;
}

/**
 * The inputs as the engine gave them, the secret ones marked so, and the outputs.
 * Of an output that repeats a secret input under another name no plugin knows.
 */
export function resultOf(
  inputs: Struct | undefined,
  outputs: Properties,
): Struct {
  const known = Object.entries(outputs).filter(
    ([, value]) => value !== undefined,
  );
  return structProto.Struct.fromJavaScript({
    ...inputs?.toJavaScript(),
    ...(Object.fromEntries(known) as Record<string, JavaScriptValue>),
  });
}

function isSecretValue(value: object): value is { value: unknown } {
  return (value as Properties)[signature] === secretMark;
}

function reveal(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reveal);
  if (isSecretValue(value)) return reveal(value.value);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, reveal(item)]),
  );
}
