/** One promise of the system, tried from outside. */
export interface Probe {
  /** `in`: from a client to a sandbox; `out`: from a sandbox to the world. */
  readonly road: "in" | "out";
  readonly name: string;
  /** What a person would type to try the same. */
  readonly command: string;
  /** What must come back, in words. */
  readonly expected: string;
  readonly attempt: () => Promise<Attempt>;
}

export interface Attempt {
  readonly ok: boolean;
  /** What came back, short enough for a table. */
  readonly got: string;
}

export interface ProbeResult extends Omit<Probe, "attempt">, Attempt {
  readonly milliseconds: number;
}

/** Tries one probe; an attempt that throws has failed. */
export async function tryProbe(probe: Probe): Promise<ProbeResult> {
  const start = performance.now();
  const { attempt, ...shown } = probe;
  const made = await attempt().catch((error: unknown) => ({
    ok: false,
    got: error instanceof Error ? error.message : String(error),
  }));
  const milliseconds = Math.round(performance.now() - start);
  return { ...shown, ...made, milliseconds };
}
