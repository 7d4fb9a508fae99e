/** The two sandboxes that every lab starts with. */

/** Public in Daytona: anyone may reach its ports. The request's own example. */
export const firstSandbox = "83792513-cd9e-428f-99c0-63c63bc7739c";

/** Private in Daytona: answers only with its preview token. */
export const secondSandbox = "5f0c1a52-7d3b-4c1e-9a44-2b6a1e0d9c31";
