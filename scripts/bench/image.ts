/** The lab's image with the contenders and the load generators in it, kept in the same cache. */
import { edgePackages } from "../../infra/edge/bundle.ts";
import { gatewayPackages } from "../../infra/gateway/bundle.ts";
import { ensureDebianRoot } from "../lab/debian-root.ts";

const packages = [
  ...new Set([
    ...edgePackages,
    ...gatewayPackages,
    "caddy",
    "nghttp2-client",
    "nginx-light",
    "procps",
    "util-linux",
    "wrk",
  ]),
].sort();

/** @returns the root directory of the image @throws LabError when it cannot be made */
export function ensureBenchImage(): Promise<string> {
  return ensureDebianRoot("bench", packages);
}
