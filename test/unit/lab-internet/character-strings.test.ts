import { describe, expect, it } from "vitest";
import { characterStrings } from "../../../scripts/lab/internet/cloudflare/character-strings.ts";

describe("the text of a TXT record", () => {
  const long = "x".repeat(300);
  it.each([
    ["bare", ["bare"]],
    ["bare text; with = signs", ["bare text; with = signs"]],
    ['"quoted"', ["quoted"]],
    ['"one" "two"', ["one", "two"]],
    ['"one""two"', ["one", "two"]],
    ['"with \\"quotes\\" and \\\\"', ['with "quotes" and \\']],
    ['"\\065\\066"', ["AB"]],
    ['""', [""]],
    [long, ["x".repeat(255), "x".repeat(45)]],
    [`"${long}"`, ["x".repeat(255), "x".repeat(45)]],
  ])("%s", (content, strings) => {
    const found = characterStrings(content);
    expect(found?.map((it) => it.toString())).toEqual(strings);
  });

  it.each(['"open', '"one" two', '"ends with \\"'])(
    "%s: refused",
    (content) => {
      expect(characterStrings(content)).toBeUndefined();
    },
  );
});
