/** Rows about what the gateway's 443 and 80 are told before any request. */
import { clientHello, encryptedClientHello, records } from "../client-hello.ts";
import { sendBytes } from "../rule-checks.ts";
import { type Row, curl, denial, each, unreached } from "./row.ts";
import type { BypassTarget } from "./target.ts";

export function helloRows(target: BypassTarget): Row[] {
  const { gateway, forbidden, allowed, spliced } = target;
  const name = allowed?.host ?? forbidden.host;
  /** Prints the first bytes that come back, or "nothing". */
  const bytes = (sent: Buffer | string) =>
    `got=$(${sendBytes(gateway, Buffer.from(sent))}); echo "\${got:-nothing}"`;
  return [
    {
      number: 8,
      attempt: "CONNECT to an allowed host, another name inside",
      command: each([
        bytes(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`),
        `${curl} -x http://${gateway}:80 https://${forbidden.host}/`,
      ]),
      denied: /^nothing$|CONNECT tunnel failed, response 403/,
      logged: ["proxy  not_tls", `proxy CONNECT ${forbidden.host} plain_http`],
    },
    {
      number: 15,
      attempt: "other protocols on 443",
      command: each([bytes("SSH-2.0-OpenSSH_9.9\r\n"), bytes("\0\0\0\0\0\0")]),
      denied: /^nothing$/,
      logged: ["proxy  not_tls"],
    },
    ...(allowed ? allowedRows(target, allowed.host) : []),
    ...(spliced === undefined
      ? []
      : splicedRows(spliced, forbidden.host, bytes)),
  ];
}

function allowedRows(
  { gateway, forbidden }: BypassTarget,
  allowed: string,
): Row[] {
  const alike = [`evil${allowed}`, `${allowed}.${forbidden.host}`];
  return [
    {
      number: 16,
      attempt: "an allowed host without TLS",
      command: `${curl} -H 'Authorization: Bearer x' http://${allowed}/`,
      denied: denial,
      logged: [`proxy GET ${allowed}/ plain_http`],
    },
    {
      number: 47,
      attempt: "names that look like an allowed one",
      command: each(
        alike.map(
          (name) => `${curl} --resolve ${name}:443:${gateway} https://${name}/`,
        ),
      ),
      denied: unreached,
      logged: alike.map((name) => `proxy ${name} host_not_allowed`),
    },
  ];
}

/** Hellos that no TLS library would send. */
function splicedRows(
  spliced: string,
  forbidden: string,
  bytes: (sent: Buffer) => string,
): Row[] {
  const alert = /^15030300020270$/;
  const plain = clientHello({ names: [spliced] });
  const hidden = clientHello({
    names: [spliced],
    after: [encryptedClientHello()],
  });
  const names = [
    "",
    `${spliced}.`,
    `${spliced}\0.${forbidden}`,
    `${forbidden}\0.${spliced}`,
    `xn--${spliced.replace(".", "-")}`,
    "a".repeat(300),
    `${spliced} `,
    `[${spliced}]`,
  ];
  return [
    {
      number: 12,
      attempt: "an encrypted hello, a false name outside",
      command: bytes(records(hidden)),
      denied: alert,
      logged: [`proxy ${spliced} encrypted_hello`],
      note: "refused and logged; the hello is made by hand",
    },
    {
      number: 13,
      attempt: "names that are none, or several",
      command: each(
        [
          clientHello({}),
          clientHello({ names: [forbidden, spliced] }),
          ...names.map((name) => clientHello({ names: [name] })),
        ].map((hello) => bytes(records(hello))),
      ),
      denied: alert,
      logged: ["proxy  no_name"],
    },
    {
      number: 14,
      attempt: "a hello over two records",
      command: bytes(records(plain, 60)),
      denied: /^nothing$/,
      logged: ["proxy  hello_shape"],
    },
  ];
}
