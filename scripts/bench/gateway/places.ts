/** Names, addresses and files that the parts of this bench agree on. */

/** The gateway's own address, and the origin's; files/network.sh and files/origin.conf say the latter too. */
export const originAddress = "203.0.113.10";

/** Where the gateway keeps its state; haproxy.cfg says so. */
export const gatewayState = "/var/lib/daytona-edge/gateway";

export const originCertificate = "/etc/ssl/bench/origin.crt";

/** Who vouches for the origin, and who for the hosts that the gateway inspects. */
export const authorities = [originCertificate, `${gatewayState}/ca.pem`];
