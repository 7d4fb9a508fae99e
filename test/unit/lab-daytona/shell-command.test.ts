import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { shellCommand } from "../../../scripts/lab/daytona/shell-command.ts";

it("gives a shell every word as it was", () => {
  const words = [
    "plain",
    "",
    "two words",
    "it's",
    "''",
    '"$HOME" `id` $(id) \\',
    "*",
    "-n",
    "line\nbreak",
    "tab\t; rm -rf / & | > <",
    "ünïcode 🙂",
  ];
  const print = [
    process.execPath,
    "-p",
    "JSON.stringify(process.argv.slice(1))",
  ];
  const line = shellCommand([...print, "--", ...words]);
  const output = execFileSync("sh", ["-c", line], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual(words);
});
