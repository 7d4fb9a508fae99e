// What Pulumi starts. Plain JavaScript: an older Node that met TypeScript first
// would end with a stack trace that says nothing of Node.
import { checkNode } from "./node-version.mjs";

export default async function program() {
  checkNode();
  return await (await import("./index.ts")).default();
}
