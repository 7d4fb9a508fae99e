/** One thing that the doctor has looked at. */
export interface Row {
  readonly what: string;
  /** `warning`: works today, and needs somebody. */
  readonly state: "good" | "warning" | "bad";
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

export function good(what: string, found: string): Row {
  return { what, state: "good", found };
}

export function warning(what: string, found: string, fix: string): Row {
  return { what, state: "warning", found, fix };
}

export function bad(what: string, found: string, fix: string): Row {
  return { what, state: "bad", found, fix };
}

/** What cannot be looked at is not well. */
export async function lookAt(
  what: string,
  look: () => Promise<Row | Row[]>,
  fix: string,
): Promise<Row[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    return [bad(what, (error as Error).message, fix)];
  }
}
