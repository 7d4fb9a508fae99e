/** Where sandboxes find the gateway; haproxy.cfg gets both by its environment. */

/** The one address that sandboxes may reach. */
export const gatewayAddress = "169.254.20.1";

/**
 * Its name in the sandboxes' resolver, below the top level that ICANN keeps for
 * private use (Board resolution 2024.07.29.06): no host of the world has it.
 */
export const gatewayName = "gateway.internal";
