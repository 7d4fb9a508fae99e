/**
 * `npm run doctor -- --daytona`: why a self-hosted Daytona's sandboxes cannot be
 * reached, or reach nothing, before anything of this project is there. Here is
 * what it says that it will do; nothing in this directory changes what it looks at.
 */
import { LabError } from "../../lab/command.ts";
import { apiAddress } from "./api.ts";
import { type Given, observe } from "./observe.ts";
import { asJson, asText, findings } from "./report.ts";

/** @throws LabError when nothing was given to ask */
export async function daytonaDoctor(
  options: Given,
  json: true | undefined,
): Promise<void> {
  // A variable that is empty is none.
  const api = options.api || undefined;
  const given = { ...options, api, key: options.key || undefined };
  if (given.api === undefined && given.ssh === undefined) {
    throw new LabError(
      `--daytona needs something to ask: the API's address, a login to the server, or both
  export DAYTONA_API_KEY=…   # from the dashboard
  npm run doctor -- --daytona --api https://daytona.example.net
  npm run doctor -- --daytona --ssh root@203.0.113.7`,
    );
  }
  for (const [option, url] of Object.entries({
    "--api": given.api,
    "--from": given.from,
  })) {
    if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url)))
      continue;
    throw new LabError(
      `${option} ${url}: write an address with its scheme, such as https://daytona.example.net`,
    );
  }
  if (given.key !== undefined && !/^[\x21-\x7e]+$/.test(given.key)) {
    throw new LabError(
      "the key has characters that no key has, such as a line break; copy it again",
    );
  }
  if (given.sandbox !== undefined && !/^[\w.-]+$/.test(given.sandbox)) {
    throw new LabError(
      `--sandbox ${given.sandbox}: is no sandbox's id or name`,
    );
  }
  console.error(`${plan(given)}\n`);
  const seen = await observe(given);
  const found = findings(seen);
  console.log(json ? asJson(seen) : `\n${asText(found)}`);
  if (!found.ok) process.exitCode = 1;
}

/** What it will do, before it does it. */
export function plan({ api, key, ssh, sandbox, from, target }: Given): string {
  const which = sandbox ?? "one sandbox that runs";
  const lines = [
    ...(api === undefined
      ? []
      : [
          `asks ${apiAddress(api)} for its configuration, and the addresses that it names whether they answer`,
        ]),
    ...(api !== undefined && key !== undefined
      ? [
          `reads with the key the record of ${which}, and runs some 45 short commands in it, which write no file (Daytona counts them as activity)`,
        ]
      : []),
    ...(from === undefined ? [] : [`calls ${from}`]),
    ...(ssh === undefined
      ? []
      : [
          `logs in to ${ssh} by your own ssh, and runs one shell script there, as root where sudo needs no password: it reads routes, rules, units, Docker's containers and networks, and runs commands that read in the runner's container and in ${which}`,
        ]),
    `tries https://${target}/ from the places that it gets to`,
  ];
  return [
    "This reads, and changes nothing. It",
    ...lines.map((line) => `- ${line}`),
  ].join("\n");
}
