import { describe, expect, test } from "vitest";
import { placesFor, placesHere } from "../../../scripts/test/places.ts";

describe("places for suites", () => {
  test("a computer of two cores has room for more labs than cores", () => {
    expect(placesFor(2, 24_000)).toEqual({ whole: 3, surroundings: 2, all: 6 });
  });

  test.each([
    ["little memory", 2, 2_000],
    ["a large computer with little memory", 32, 5_000],
  ])("%s: one lab of each kind all the same", (_, cores, memory) => {
    expect(placesFor(cores, memory)).toEqual({
      ...{ whole: 1, surroundings: 1, all: 3 },
    });
  });

  test("a large computer gets more, as memory allows", () => {
    const { whole, surroundings } = placesFor(16, 16_000);
    expect(whole * 1000 + surroundings * 1200).toBeLessThanOrEqual(14_000);
    expect(whole).toBeGreaterThan(5);
  });

  test("this computer can be looked at", () => {
    expect(placesHere().all).toBeGreaterThanOrEqual(3);
  });
});
