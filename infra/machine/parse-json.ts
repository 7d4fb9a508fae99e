import * as z from "zod";

/**
 * Reads JSON by a schema.
 * @throws Error that says all that is wrong with it; it never quotes the text,
 *   which may hold a secret
 */
export function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    `${path.map(String).join(".")} ${message}`.trim(),
  );
  throw new Error(problems.join("; "));
}
