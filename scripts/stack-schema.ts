/** `npm run stack-schema`: writes the schema of stack files, for editors. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { stackFileSchema } from "../infra/stack-file-schema.ts";
import { checkout } from "./checkout.ts";

new Command("npm run stack-schema --")
  .description("write Pulumi.schema.json, by which editors check stack files")
  .action(() => {
    const file = "Pulumi.schema.json";
    const text = JSON.stringify(stackFileSchema(), undefined, 2);
    writeFileSync(join(checkout, file), `${text}\n`);
    console.log(`${file} is written`);
  })
  .parse();
