import { describe, expect, test } from "vitest";
import type { TestSpecification } from "vitest/node";
import { checkout } from "../../../scripts/checkout.ts";
import type { Need } from "../../../scripts/test/need.ts";
import {
  type Suite,
  schedule,
  sequencer,
} from "../../../scripts/test/schedule.ts";

const places = { whole: 2, surroundings: 1, all: 3 };
const suites = (...given: [string, number, Need][]): Suite[] =>
  given.map(([name, seconds, need]) => ({ name, seconds, need }));

describe("a schedule of suites", () => {
  test("the longest begins first, and the next when one has ended", () => {
    const { suites: order, seconds } = schedule(
      suites(
        ["a", 10, "nothing"],
        ["b", 40, "nothing"],
        ["c", 20, "nothing"],
        ["d", 30, "nothing"],
      ),
      places,
    );
    expect(order.map(({ name }) => name)).toEqual(["b", "d", "c", "a"]);
    expect(seconds).toBe(40);
  });

  test("one that would wait for a lab lets a shorter one go first", () => {
    const { suites: order, seconds } = schedule(
      suites(
        ["a", 50, "surroundings"],
        ["b", 40, "surroundings"],
        ["c", 30, "whole"],
        ["d", 5, "nothing"],
      ),
      places,
    );
    expect(order.map(({ name }) => name)).toEqual(["a", "c", "d", "b"]);
    expect(seconds).toBe(90);
  });

  test("what has begun counts", () => {
    const begun = suites(["x", 7, "whole"], ["y", 3, "whole"]);
    const waiting = suites(["z", 10, "whole"]);
    expect(schedule(waiting, places, begun).seconds).toBe(13);
    expect(schedule([], places, begun).seconds).toBe(7);
    expect(schedule([], places).seconds).toBe(0);
  });
});

test("Vitest gets every suite once, those of this checkout's longest first", () => {
  const names = [
    "test/unit/bench/chart.test.ts",
    "test/e2e/endurance.test.ts",
    "test/e2e/host/host.test.ts",
  ];
  const specifications = names.map(
    (name) => ({ moduleId: `${checkout}/${name}` }) as TestSpecification,
  );
  const Sequencer = sequencer(places);
  const order = new Sequencer().sort(specifications);
  expect(new Set(order)).toEqual(new Set(specifications));
  expect(order.at(-1)).toBe(specifications[0]);
});
