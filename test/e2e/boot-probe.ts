/**
 * A prober that is there before the gateway is, when its machine boots: a
 * sandbox's container that Docker starts by itself.
 */
import { fixtureProgram } from "./fixture-program.ts";
import { machine } from "./gateway-rules.ts";

const program = "/var/lib/boot-probe.mjs";
const unit = "/etc/systemd/system/boot-probe.service";
const container = "6d0f2b1c-9f0e-4a57-8d3a-1b2c3d4e5f60";
/** Beyond those of the sandboxes, which start after it. */
const addresses = "--ip 172.20.255.9 --ip6 2001:db8:20::ff09";
const controlPort = 7201;
const ask = `docker exec ${container} curl -fsS http://127.0.0.1:${String(controlPort)}/`;

/** The gateway may not start before a request was refused; its firewall is older. */
const service = `[Unit]
After=docker.service
Requires=docker.service
Before=daytona-gateway-resolver.service daytona-gateway-recursor.service daytona-gateway.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=300
ExecStart=/bin/sh -c 'until ${ask} | grep -q said; do sleep 0.2; done'

[Install]
WantedBy=multi-user.target
`;

/** It starts with the next boot. */
export async function plantBootProbe(): Promise<void> {
  await machine(
    `cat >${unit} <<'UNIT'\n${service}UNIT
     cat >${program}; systemctl enable --quiet boot-probe
     docker create --name ${container} --restart always --privileged \\
       --network runner-bridge ${addresses} \\
       --volume ${program}:/probe.mjs:ro daytona-lab node /probe.mjs 0 ${String(controlPort)}
     docker start ${container}`,
    fixtureProgram("egress-prober.ts"),
  );
}

/** What came of it. */
export function bootProbe(): Promise<string> {
  return machine(ask);
}

export async function removeBootProbe(): Promise<void> {
  await machine(
    `systemctl disable --quiet --now boot-probe || true
     docker rm --force ${container}
     rm -rf ${unit} ${program}; systemctl daemon-reload`,
  );
}
