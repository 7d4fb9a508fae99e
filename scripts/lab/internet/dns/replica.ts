import type { Zone } from "./zone.ts";

/**
 * A zone as one name server has it. A provider's servers learn of a change one
 * after the other; a test can make that last.
 */
export class ZoneReplica {
  readonly #now: () => number;
  /** The first is the one that is served. */
  #versions: { readonly since: number; readonly zone: Zone }[] = [];
  #lag = 0;

  constructor(zone: Zone, now: () => number = Date.now) {
    this.#now = now;
    this.publish(zone);
  }

  /** How long a new version takes to arrive, in ms. */
  get lag(): number {
    return this.#lag;
  }

  /** What has arrived stays, however long the way becomes. */
  set lag(lag: number) {
    this.#settle();
    this.#lag = lag;
  }

  get zone(): Zone {
    return this.#settle();
  }

  publish(zone: Zone): void {
    this.#versions.push({ since: this.#now(), zone });
  }

  #settle(): Zone {
    const arrived = this.#now() - this.#lag;
    const newest = this.#versions.findLastIndex(
      ({ since }) => since <= arrived,
    );
    this.#versions = this.#versions.slice(Math.max(newest, 0));
    const [served] = this.#versions;
    if (!served) throw new Error("A replica has a zone from its beginning");
    return served.zone;
  }
}
