/**
 * A prober that is there before the gateway is, when its machine boots: on the
 * sandboxes' bridge, in a network namespace of its own, as a sandbox is.
 */
import { fixtureProgram } from "./fixture-program.ts";
import { machine } from "./gateway-rules.ts";

const program = "/var/lib/boot-probe.mjs";
const unit = "/etc/systemd/system/boot-probe.service";
const controlPort = 7201;

/** The gateway may not start before a request was refused; its firewall is older. */
const service = `[Unit]
After=daytona-host.service
Requires=daytona-host.service
Before=daytona-gateway-resolver.service daytona-gateway-recursor.service daytona-gateway.service

[Service]
Type=exec
TimeoutStartSec=300
ExecStartPre=/bin/sh -ec 'ip netns add probe; ip link add probe0 type veth peer name eth0 netns probe; ip link set probe0 master br-sandbox up; ip -n probe link set lo up; ip -n probe address add 172.20.255.9/16 dev eth0; ip -n probe -6 address add 2001:db8:20::ff09/64 dev eth0 nodad; ip -n probe link set eth0 up; ip -n probe route add default via 172.20.0.1; ip -n probe -6 route add default via 2001:db8:20::1'
ExecStart=/usr/sbin/ip netns exec probe /usr/bin/node ${program} 0 ${String(controlPort)}
ExecStartPost=/bin/sh -c 'until ip netns exec probe curl -fsS http://127.0.0.1:${String(controlPort)}/ | grep -q said; do sleep 0.2; done'
ExecStopPost=-/usr/sbin/ip netns delete probe

[Install]
WantedBy=multi-user.target
`;

/** It starts with the next boot. */
export async function plantBootProbe(): Promise<void> {
  await machine(
    `mkdir -p /etc/netns/probe; echo 'nameserver 169.254.20.1' >/etc/netns/probe/resolv.conf
     cat >${unit} <<'UNIT'\n${service}UNIT
     cat >${program}; systemctl enable --quiet boot-probe`,
    fixtureProgram("egress-prober.ts"),
  );
}

/** What came of it. */
export function bootProbe(): Promise<string> {
  return machine(
    `ip netns exec probe curl -fsS http://127.0.0.1:${String(controlPort)}/`,
  );
}

export async function removeBootProbe(): Promise<void> {
  await machine(
    `systemctl disable --quiet --now boot-probe || true
     rm -rf ${unit} ${program} /etc/netns/probe; systemctl daemon-reload`,
  );
}
