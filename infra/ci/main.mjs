// What Pulumi starts; see the other main.mjs, beside infra/index.ts.
import { checkNode } from "../node-version.mjs";

export default async function program() {
  checkNode();
  return await (await import("./index.ts")).default();
}
