/** Reading of inputs, whose shape nobody has checked. */

export type Fields = Readonly<Record<string, unknown>>;

/** The value's fields; none when it is not an object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

/** The values of a list; a single value is a list of one, nothing is none. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === "string");
}

/**
 * A policy document, which resources hold as text or as what it means. One that
 * is not known yet says nothing; "up" judges it again.
 */
export function documentOf(value: unknown): Fields {
  if (typeof value !== "string") return fieldsOf(value);
  try {
    return fieldsOf(JSON.parse(value));
  } catch {
    // AWS refuses it, too.
    return {};
  }
}

/** AWS' schema has some booleans as text. */
export function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/** Whether it says something: the provider fills what is unset with "". */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
