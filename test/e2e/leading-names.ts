/** Names that lead where a suite wants, by the zone of Cloudflare's stand-in. */
import { labSecrets } from "../../scripts/lab/secrets.ts";
import { stackConfig } from "../../scripts/stack.ts";
import { labCurl } from "./lab.ts";

const zone = stackConfig<{ zoneId: string }>("cloudflare").zoneId;
const records = `https://cloudflare.internal/client/v4/zones/${zone}/dns_records`;
const made: string[] = [];

/** Makes a name that leads to an address. */
export async function nameOf(address: string): Promise<string> {
  const host = `lead-${address.replaceAll(".", "-")}.defikit.net`;
  const record = { type: "A", name: host, content: address, ttl: 60 };
  const { stdout } = await cloudflare("-d", JSON.stringify(record), records);
  const { result } = JSON.parse(stdout) as { result: { id: string } };
  made.push(result.id);
  return host;
}

/** Lets the name that was made last lead elsewhere. */
export async function moveName(address: string): Promise<void> {
  const change = JSON.stringify({ content: address });
  await cloudflare(
    "-X",
    "PATCH",
    "-d",
    change,
    `${records}/${made.at(-1) ?? ""}`,
  );
}

export async function removeNames(): Promise<void> {
  for (const id of made.splice(0)) {
    await cloudflare("-X", "DELETE", `${records}/${id}`);
  }
}

function cloudflare(...args: string[]) {
  return labCurl([
    "--fail-with-body",
    ...["-H", `Authorization: Bearer ${labSecrets().cloudflareToken}`],
    ...["-H", "Content-Type: application/json"],
    ...args,
  ]);
}
