/** Names, addresses and files that the parts of this bench agree on. */
import { state } from "../../../infra/machine/places.ts";

/** The gateway's own address, and the origin's; files/network.sh and files/origin.conf say the latter too. */
export const originAddress = "203.0.113.10";

/** Where the gateway keeps its state. */
export const gatewayState = `${state}/gateway`;

export const originCertificate = "/etc/ssl/bench/origin.crt";

/** Who vouches for the origin, and who for the hosts that the gateway inspects. */
export const authorities = [originCertificate, `${gatewayState}/ca.pem`];
