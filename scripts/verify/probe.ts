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

export interface ProbeResult {
  readonly road: Probe["road"];
  readonly name: string;
  readonly command: string;
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
  readonly milliseconds: number;
}

/** Tries one probe; an attempt that throws has failed. */
export async function tryProbe(probe: Probe): Promise<ProbeResult> {
  const start = performance.now();
  const attempt = await probe.attempt().catch((error: unknown) => ({
    ok: false,
    got: error instanceof Error ? error.message : String(error),
  }));
  const { road, name, command, expected } = probe;
  return {
    road,
    name,
    command,
    expected,
    ...attempt,
    milliseconds: Math.round(performance.now() - start),
  };
}
