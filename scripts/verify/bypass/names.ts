/** Rows about names: what the resolver says, and other resolvers. */
import { recursorPort } from "../../../infra/machine/places.ts";
import { type Row, curl, each, quiet, unreached } from "./row.ts";
import type { BypassTarget } from "./target.ts";

/** Stands for the data that somebody would put in a name. */
const mark = `b${crypto.randomUUID().slice(0, 8)}`;

const noServer = /no servers|refused|timed out|unreachable/;

export function nameRows(target: BypassTarget): Row[] {
  const { gateway, forbidden, nameServers, allowed } = target;
  const { host } = forbidden;
  const secret = `${mark}.${host}`;
  const ask = (how: string, seconds = 1) =>
    `dig ${how} +time=${String(seconds)} +tries=1 ${secret}`;
  const answer = (what: string) => `grep -io '${what}'`;
  return [
    {
      number: 1,
      attempt: "no proxy in the environment",
      command: `unset HTTPS_PROXY https_proxy ALL_PROXY; ${curl} https://${host}/ ${quiet}`,
      denied: /Could not resolve/,
      logged: [`resolver ${host} A name_not_allowed`],
    },
    {
      number: 20,
      attempt: "data in names, by the given resolver",
      command: each(
        ["+notcp TXT", "+tcp"].map(
          (how) => `${ask(how, 20)} | ${answer("status: [A-Z]*")}`,
        ),
      ),
      denied: /status: NXDOMAIN/,
      logged: [
        `resolver ${secret} TXT name_not_allowed`,
        `resolver ${secret} A name_not_allowed`,
      ],
    },
    {
      number: 21,
      attempt: "resolvers outside",
      command: each(
        ["8.8.8.8", "1.1.1.1"].flatMap((resolver) =>
          ["+notcp", "+tcp"].map((how) => ask(`${how} @${resolver}`)),
        ),
      ),
      denied: noServer,
      logged: [
        "firewall 8.8.8.8 udp 53 ",
        "firewall 8.8.8.8 tcp 53 ",
        "firewall 1.1.1.1 udp 53 ",
      ],
    },
    {
      number: 22,
      attempt: "the gateway's own resolver, and whom it asks",
      command: each([
        ask(`-p ${String(recursorPort)} @${gateway}`),
        ...nameServers.map((server) => ask(`@${server}`)),
      ]),
      denied: noServer,
      logged: [
        `firewall ${gateway} udp ${String(recursorPort)} `,
        ...nameServers.map((server) => `firewall ${server} udp 53 `),
      ],
    },
    {
      number: 23,
      attempt: "DNS over TLS, QUIC and HTTPS",
      command: each([
        "nc -zvw 3 8.8.8.8 853",
        "echo x | nc -u -w 1 8.8.8.8 853; echo refused",
        `${curl} https://8.8.8.8/dns-query`,
        `${curl} https://dns.google/dns-query`,
      ]),
      denied: unreached,
      logged: [
        "firewall 8.8.8.8 tcp 853 ",
        "firewall 8.8.8.8 udp 853 ",
        "firewall 8.8.8.8 tcp 443 ",
        "resolver dns.google A name_not_allowed",
      ],
    },
    {
      number: 27,
      attempt: "the cloud's metadata",
      command: each([
        `${curl} -H 'Metadata: true' http://169.254.169.254/latest/meta-data/`,
        `${curl} -g 'http://[fd00:ec2::254]/latest/meta-data/'`,
        `${curl} http://metadata.google.internal/`,
      ]),
      denied: unreached,
      logged: [
        "firewall 169.254.169.254 tcp 80 ",
        "resolver metadata.google.internal A name_not_allowed",
      ],
      note: "refused and logged on the runner, where a cloud's would be reached",
    },
    ...(allowed
      ? [
          {
            number: 24,
            attempt: "data in names below an allowed one",
            command: `dig +time=20 +tries=1 ${mark}.${allowed.host} | ${answer("status: [A-Z]*")}`,
            denied: /status: NXDOMAIN/,
            logged: [`resolver ${mark}.${allowed.host} A name_not_allowed`],
          },
          {
            number: 25,
            attempt: "other types of an allowed name",
            command: each([
              ...["TXT", "NULL", "ANY", "HTTPS", "SVCB", "MX"].map(
                (type) =>
                  `dig +time=20 +tries=1 ${allowed.host} ${type} | ${answer("ANSWER: [0-9]*")}`,
              ),
              `dig +time=20 +tries=1 ${allowed.host} AXFR | ${answer("transfer failed")}`,
            ]),
            denied: /^ANSWER: 0$|Transfer failed/,
            logged: ["TXT", "HTTPS"].map(
              (type) => `resolver ${allowed.host} ${type} type_not_answered`,
            ),
          },
        ]
      : []),
  ];
}
