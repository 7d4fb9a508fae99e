/** `npm run configuration`: writes what is generated from the schema of stack files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { configurationPage } from "../infra/config/documentation.ts";
import { stackFileSchema } from "../infra/config/stack-file-schema.ts";
import { checkout } from "./checkout.ts";

new Command("npm run configuration --")
  .description(
    "write what the schema of stack files says: Pulumi.schema.json, by which\neditors check them, and docs/configuration.md",
  )
  .action(() => {
    for (const [file, text] of [
      [
        "Pulumi.schema.json",
        `${JSON.stringify(stackFileSchema(), undefined, 2)}\n`,
      ],
      ["docs/configuration.md", configurationPage()],
    ] as const) {
      writeFileSync(join(checkout, file), text);
      console.log(`${file} is written`);
    }
  })
  .parse();
