/** The two sandboxes that every lab starts with, and one that never was. */

/** Public in Daytona: anyone may reach its ports. The request's own example. */
export const firstSandbox = "83792513-cd9e-428f-99c0-63c63bc7739c";

/** Private in Daytona: answers only with its preview token. */
export const secondSandbox = "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31";

/**
 * No sandbox, but a name all the same: it leads to Daytona's own API, as a
 * resolver might say that an attacker has got at.
 */
export const strayName = {
  id: "9e107d9d-3720-4b1f-8f57-0a1c2b3d4e5f",
  address: "198.18.0.3",
};
