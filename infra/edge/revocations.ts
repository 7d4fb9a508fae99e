/** The live state `revocations.json`: whom to refuse although the token is good. */

export interface Revocation {
  /** Id of the sandbox. */
  readonly sandbox: string;
  /** Absent: all of its ports. */
  readonly port?: number;
  /**
   * Tokens issued before this moment are refused; Unix time in seconds. Where
   * access is not `signed` there is no such moment, and everybody is refused.
   */
  readonly notBefore: number;
}

/** The document of a stack that has revoked nothing. */
export const noRevocations = revocationsDocument([]);

/** Revocations as they lie in the store. */
export function revocationsDocument(
  revocations: readonly Revocation[],
): string {
  return `${JSON.stringify({ version: 1, revocations }, undefined, 2)}\n`;
}

/**
 * Reads and checks the document as a whole.
 * @throws Error that says what is wrong with it
 */
export function parseRevocations(content: string): Revocation[] {
  const { revocations } = JSON.parse(content) as { revocations?: unknown };
  if (!Array.isArray(revocations)) throw new Error("it has no revocations");
  for (const { sandbox, port, notBefore } of revocations as Revocation[]) {
    if (!sandboxId.test(sandbox)) {
      throw new Error(`${JSON.stringify(sandbox)} is not the id of a sandbox`);
    }
    if (port !== undefined && !(port >= 1 && port <= 65535)) {
      throw new Error(`${JSON.stringify(port)} is not a port`);
    }
    if (!Number.isSafeInteger(notBefore) || notBefore < 1) {
      throw new Error(`${JSON.stringify(notBefore)} is not Unix time`);
    }
  }
  return revocations as Revocation[];
}

/** An id as Daytona makes it: UUID, version 4, lower case. */
export const sandboxId =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What a revocation is about, as haproxy.cfg looks it up: `id` or `id:port`. */
export function placeOf({ sandbox, port }: Revocation): string {
  return port === undefined ? sandbox : `${sandbox}:${String(port)}`;
}

/** The latest revocation of each place. */
export function latestByPlace(
  revocations: readonly Revocation[],
): Map<string, number> {
  const latest = new Map<string, number>();
  for (const revocation of revocations) {
    const place = placeOf(revocation);
    latest.set(place, Math.max(latest.get(place) ?? 0, revocation.notBefore));
  }
  return latest;
}

/**
 * What haproxy.cfg looks up for Daytona's signed preview hosts: they do not say
 * which sandbox they open, so what is revoked of any sandbox is of them all.
 */
const signedPreview = "signed-preview";

/**
 * The map that haproxy.cfg reads. It looks the sandbox up first, and its port
 * only if that has a row, so that a revoked port gives its sandbox one too.
 */
export function revokedMap(revocations: readonly Revocation[]): string {
  const all = revocations.flatMap((revocation) => [
    revocation,
    { ...revocation, sandbox: signedPreview },
  ]);
  const sandboxes = all.map(({ sandbox }) => [sandbox, 0] as const);
  const rows = new Map([...sandboxes, ...latestByPlace(all)]);
  return [...rows]
    .map(([place, notBefore]) => `${place} ${String(notBefore)}\n`)
    .sort()
    .join("");
}
