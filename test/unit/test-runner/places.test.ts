import { describe, expect, test } from "vitest";
import { placesFor, thisComputer } from "../../../scripts/test/places.ts";

const computer = { cores: 2, memory: 24_000, inotify: 120 };

describe("places for suites", () => {
  test("a computer of two cores has room for more labs than cores", () => {
    expect(placesFor(computer)).toEqual({ whole: 3, surroundings: 1, all: 5 });
  });

  test.each([
    ["little memory", { memory: 2_000 }],
    ["few inotify instances", { inotify: 20 }],
    ["one core", { cores: 1, inotify: 40 }],
  ])("%s: one lab of each kind all the same", (_, change) => {
    expect(placesFor({ ...computer, ...change })).toEqual({
      ...{ whole: 1, surroundings: 1, all: 3 },
    });
  });

  test("a large computer gets more, as memory allows", () => {
    const large = { cores: 16, memory: 16_000, inotify: 8_000 };
    const { whole, surroundings } = placesFor(large);
    expect(whole * 1000 + surroundings * 1200).toBeLessThanOrEqual(14_000);
    expect(whole + surroundings).toBeGreaterThan(10);
  });

  test("this computer can be looked at", () => {
    const { cores, memory, inotify } = thisComputer();
    expect(cores).toBeGreaterThan(0);
    expect(memory).toBeGreaterThan(100);
    expect(inotify).toBeGreaterThan(-1_000);
  });
});
