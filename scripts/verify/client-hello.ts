/**
 * TLS hellos made by hand (RFC 8446, 4.1.2), as an attacker would: what no TLS
 * library would ever send.
 */

export interface HelloArgs {
  /** Names of the server_name extension; without one there is no extension. */
  readonly names?: readonly (string | Buffer)[];
  /** Extensions before server_name. */
  readonly before?: readonly Buffer[];
  /** Extensions after server_name. */
  readonly after?: readonly Buffer[];
}

/** A ClientHello as a handshake message, without its record header. */
export function clientHello(args: HelloArgs): Buffer {
  const { names = [], before = [], after = [] } = args;
  const extensions = [
    ...before,
    ...(names.length > 0 ? [serverName(names)] : []),
    extension(0x000a, block16(Buffer.from("001d0017", "hex"))),
    extension(0x000b, block8(Buffer.from("00", "hex"))),
    extension(0x000d, block16(Buffer.from("040308040401", "hex"))),
    ...after,
  ];
  const body = Buffer.concat([
    Buffer.from("0303", "hex"),
    Buffer.alloc(32, 0x5a),
    block8(Buffer.alloc(0)),
    block16(Buffer.from("c02bc02fc02cc030", "hex")),
    block8(Buffer.from("00", "hex")),
    block16(Buffer.concat(extensions)),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([Buffer.from("01", "hex"), length.subarray(1), body]);
}

/** Handshake bytes as TLS records, cut where `cuts` say. */
export function records(handshake: Buffer, ...cuts: number[]): Buffer {
  const edges = [0, ...cuts, handshake.length];
  return Buffer.concat(
    edges
      .slice(1)
      .map((end, index) =>
        Buffer.concat([
          Buffer.from("160301", "hex"),
          block16(handshake.subarray(edges[index], end)),
        ]),
      ),
  );
}

/** server_name (RFC 6066, 3); more than one name is against it. */
export function serverName(names: readonly (string | Buffer)[]): Buffer {
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from("00", "hex"), block16(Buffer.from(name))]),
  );
  return extension(0x0000, block16(Buffer.concat(entries)));
}

/** padding (RFC 7685). */
export function padding(bytes: number): Buffer {
  return extension(0x0015, Buffer.alloc(bytes));
}

/**
 * The outer encrypted_client_hello (RFC 9849, 5) with a key and a payload.
 * @param suite KDF and AEAD (RFC 9180, 7.2 and 7.3), hexadecimal; without it
 *   HKDF-SHA256 and AES-128-GCM
 */
export function encryptedClientHello(suite = "00010001"): Buffer {
  return extension(
    0xfe0d,
    Buffer.concat([
      // outer, suite, configuration 7
      Buffer.from(`00${suite}07`, "hex"),
      block16(Buffer.alloc(32, 0xa5)),
      block16(Buffer.alloc(208, 0x3c)),
    ]),
  );
}

function extension(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(2);
  header.writeUInt16BE(type);
  return Buffer.concat([header, block16(data)]);
}

function block8(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([data.length]), data]);
}

function block16(data: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([length, data]);
}
