/**
 * Two years of daily runs in a second. The clock, the authority's issuing and
 * its outages are made up here; what is decided is decided by the real code.
 */
import { afterAll, describe, expect, test } from "vitest";
import {
  type WantedCertificate,
  decide,
  runInterval,
} from "../../../infra/certificate/decide.ts";
import type { HeldCertificate } from "../../../infra/certificate/held-certificate.ts";
import type { RenewalInformation } from "../../../infra/certificate/renewal-information.ts";
import { Random } from "../../random.ts";

const hour = 60 * 60_000;
const day = 24 * hour;
const years = 2 * 365 * day;
const begin = Date.parse("2026-12-01T00:00:00Z");
const lives = { "90": 90, "64": 64, "45": 45, "6": 160 / 24 };

/** Let's Encrypt's strictest for one set of names (its page on rate limits). */
const mostOrders = 5;
const within = 7 * day;

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);

const wanted: WantedCertificate = {
  names: ["*.sandbox.example.net"],
  directory: "https://acme.example.net/directory",
  keyType: "ecdsa-p256",
};

interface Outage {
  readonly start: number;
  readonly end: number;
}

/** Windows as authorities give them; undefined for one without ARI. */
type Windows = (held: HeldCertificate) => RenewalInformation | undefined;

const windows: Record<string, Windows> = {
  none: () => undefined,
  /** A hundredth of the life, around two thirds of it, or half of a short one. */
  usual: (held) => {
    const life = Date.parse(held.notAfter) - Date.parse(held.notBefore);
    const age = life < 10 * day ? 1 / 2 : 2 / 3;
    return around(held, age - 0.01, age);
  },
};

function around(held: HeldCertificate, from: number, to: number) {
  const start = Date.parse(held.notBefore);
  const life = Date.parse(held.notAfter) - start;
  return {
    start: new Date(start + from * life),
    end: new Date(start + to * life),
  };
}

/** Random outages; a fair time lies between two. */
function outages(random: Random, longest: number): Outage[] {
  const list: Outage[] = [];
  for (let at = begin; at < begin + years;) {
    const start = at + random.below(40) * day + random.below(day);
    const end = start + random.below(longest);
    list.push({ start, end });
    at = end + day;
  }
  return list;
}

function issued(at: number, life: number): HeldCertificate {
  // Authorities date them an hour back, for clocks that are slow.
  const notBefore = at - hour;
  return {
    ...wanted,
    names: [...wanted.names],
    version: String(at),
    chain: "",
    key: "",
    serial: at.toString(16),
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notBefore + life).toISOString(),
    issuedAt: new Date(at).toISOString(),
  };
}

interface Lived {
  readonly orders: readonly number[];
  /** Hours without a valid certificate. */
  readonly expired: number;
  /** The least that was left when a new one came, in days. */
  readonly least: number;
}

function live(
  life: number,
  window: Windows,
  down: readonly Outage[],
  random: Random,
  duration = years,
): Lived {
  let held = issued(begin, life);
  const orders = [begin];
  let expired = 0;
  let least = life;
  // Once a day, at any minute of it that is no later than the schedule's limit.
  for (let run = begin; run < begin + duration;) {
    run += runInterval - random.below(hour);
    const isDown = down.some(({ start, end }) => run >= start && run < end);
    // Neither the window can be asked for in an outage, nor an order placed.
    if (isDown) continue;
    const decision = decide(held, window(held), new Date(run), wanted);
    if (decision.action === "wait") continue;
    const left = Date.parse(held.notAfter) - run;
    expired += Math.max(0, -left) / hour;
    least = Math.min(least, left);
    held = issued(run, life);
    orders.push(run);
  }
  return { orders, expired, least: least / day };
}

/** The most orders that any week saw. */
function busiestWeek(orders: readonly number[]): number {
  return Math.max(
    ...orders.map(
      (first) =>
        orders.filter((at) => at >= first && at < first + within).length,
    ),
  );
}

const rows: string[] = [];
afterAll(() => {
  console.log(
    [
      `seed ${String(seed)} (SEED=… repeats it); two years of daily runs`,
      ...rows,
    ].join("\n"),
  );
});

describe.each(Object.entries(lives))(
  "certificates of %s days",
  (name, days) => {
    const life = days * day;
    // An outage of a third of the life and more is nobody's promise.
    const longest = Math.min(7 * day, life / 3);

    test.each(Object.entries(windows))("window: %s", (kind, window) => {
      const random = new Random(seed);
      const lived = Array.from({ length: 20 }, () =>
        live(life, window, outages(random, longest), random),
      );
      const orders = lived.map((one) => one.orders.length);
      rows.push(
        `${name.padStart(2)} days, window ${kind.padEnd(5)}: ${String(Math.min(...orders))} to ${String(Math.max(...orders))} orders, at most ${String(Math.max(...lived.map((one) => busiestWeek(one.orders))))} a week; at least ${Math.min(...lived.map((one) => one.least)).toFixed(1)} days left`,
      );
      for (const one of lived) {
        expect(one.expired).toBe(0);
        expect(busiestWeek(one.orders)).toBeLessThanOrEqual(mostOrders);
        // Nor many more than its life asks for.
        expect(one.orders.length).toBeLessThanOrEqual(
          Math.ceil(years / (life / 2 - 2 * day)) + 1,
        );
      }
    });
  },
);

test("an outage that begins at the worst moment is lived through as well", () => {
  const failures: unknown[] = [];
  for (const [name, days] of Object.entries(lives)) {
    const life = days * day;
    const longest = Math.min(7 * day, life / 3);
    for (const [kind, window] of Object.entries(windows)) {
      for (let start = 0; start < life; start += life / 80) {
        const down = [{ start: begin + start, end: begin + start + longest }];
        const random = new Random(seed);
        const { expired } = live(life, window, down, random, 2 * life);
        if (expired > 0) failures.push({ name, kind, start, expired });
      }
    }
  }
  expect(failures).toEqual([]);
});
