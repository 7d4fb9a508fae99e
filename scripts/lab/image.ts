/**
 * The images that machines of the lab are overlays of: Debian 13 with what a
 * machine from user data would install and the lab's certificate authority; and
 * others, for servers of the host suites. Made once by mmdebstrap and kept in the
 * cache under names made from their content.
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createHash, webcrypto } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { edgePackages } from "../../infra/edge/bundle.ts";
import { gatewayPackages } from "../../infra/gateway/bundle.ts";
import { cacheDirectory } from "../checkout.ts";
import { LabError, run } from "./command.ts";
import type { Release } from "./machine-spec.ts";
import { ensureStaged } from "./staged.ts";

export interface Image {
  /** Root directory of the image; never written after it is made. */
  readonly root: string;
  /** What Docker holds that has the sandboxes' image; see image/containers.sh. */
  readonly containers: string;
  /** The lab's stand-in for the public web's certificate authorities. */
  readonly webCa: { readonly certificate: string; readonly key: string };
}

/** What makes a Debian a machine of the lab, and its stand-ins and tests. */
const labPackages = [
  "bind9-dnsutils",
  "ca-certificates",
  "cloud-init",
  "curl",
  "dbus",
  "docker-cli",
  "docker.io",
  "git",
  "iproute2",
  "iputils-ping",
  "netcat-openbsd",
  "nodejs",
  "openssh-server",
  "openssl",
  "pebble",
  "procps",
  "python3-minimal",
  "socat",
  "sudo",
  "systemd",
  "systemd-sysv",
];
/**
 * What a Debian 12 has of Debian 13, as servers have Docker's own packages: its
 * own Docker wants to give containers what this computer may not have itself.
 */
const newerPrograms = [
  "usr/bin/containerd",
  "usr/bin/containerd-shim-runc-v2",
  "usr/bin/docker",
  "usr/sbin/docker-proxy",
  "usr/sbin/dockerd",
];
const setupFiles = join(import.meta.dirname, "image");

/** The image of this checkout's package lists, whether it is made yet or not. */
export function imageDirectory(release: Release = "trixie"): string {
  const content = createHash("sha256").update(imagePackages(release).join());
  for (const file of readdirSync(setupFiles).sort()) {
    content.update(readFileSync(join(setupFiles, file)));
  }
  if (release === "trixie") {
    return join(cacheDirectory, `image-${content.digest("hex").slice(0, 16)}`);
  }
  content.update((isUbuntu(release) ? [] : newerPrograms).join());
  return join(
    cacheDirectory,
    `image-${release}-${content.digest("hex").slice(0, 16)}`,
  );
}

const ubuntuOptions = [
  "--components=main,universe",
  // The lab's machines have sshd itself, not a socket that starts it.
  '--customize-hook=chroot "$1" systemctl --quiet disable ssh.socket',
];
const isUbuntu = (release: Release) => /^(noble|jammy)$/.test(release);

function imagePackages(release: Release): string[] {
  // Of those Debian 12 has none by itself; Ubuntu's Node.js is too old for the
  // stand-ins.
  const missing = isUbuntu(release)
    ? /^(docker-cli|nodejs|pebble)$/
    : /^(docker-cli|pebble)$/;
  const packages =
    release === "trixie"
      ? [...labPackages, ...edgePackages, ...gatewayPackages]
      : [
          ...labPackages.filter((name) => !missing.test(name)),
          "nftables",
          // Who has the ports 443 and 80 of such servers; Ubuntu 22.04 has none.
          ...(release === "jammy" ? [] : ["caddy"]),
          "nginx-light",
        ];
  return [...new Set(packages)].sort();
}

/**
 * Makes the image unless the cache has it.
 * @throws LabError when mmdebstrap fails, with the place of its log.
 */
export async function ensureImage(release: Release = "trixie"): Promise<Image> {
  const directory = imageDirectory(release);
  const newer = release === "trixie" ? undefined : await ensureImage();
  await ensureStaged(directory, (staging) => make(staging, release, newer));
  return {
    root: join(directory, "root"),
    containers: join(directory, "containers"),
    webCa: {
      certificate: readFileSync(join(directory, "web-ca.pem"), "utf8"),
      key: readFileSync(join(directory, "web-ca.key"), "utf8"),
    },
  };
}

async function make(
  staging: string,
  release: Release,
  newer?: Image,
): Promise<void> {
  const log = join(cacheDirectory, "image.log");
  await mkdir(staging, { recursive: true });
  try {
    const authority = newer?.webCa ?? (await createWebCa());
    await writeFile(join(staging, "web-ca.pem"), authority.certificate);
    await writeFile(join(staging, "web-ca.key"), authority.key, {
      mode: 0o600,
    });
    const trust = "/usr/local/share/ca-certificates";
    await run([
      "mmdebstrap",
      "--variant=minbase",
      `--include=${imagePackages(release).join(",")}`,
      ...(isUbuntu(release) ? ubuntuOptions : []),
      `--customize-hook=mkdir -p "$1${trust}"`,
      `--customize-hook=copy-in ${join(staging, "web-ca.pem")} ${trust}`,
      `--customize-hook=mv "$1${trust}/web-ca.pem" "$1${trust}/web-ca.crt"`,
      `--customize-hook=${join(setupFiles, "setup.sh")} "$1"`,
      `--logfile=${log}`,
      release,
      join(staging, "root"),
    ]);
    if (isUbuntu(release)) {
      await run(["cp", process.execPath, join(staging, "root/usr/bin/node")]);
    } else if (newer) {
      for (const program of newerPrograms) {
        const place = join(staging, "root", program);
        await run(["cp", join(newer.root, program), place]);
      }
    }
    await run([
      join(setupFiles, "containers.sh"),
      join(staging, "root"),
      join(staging, "containers"),
    ]);
  } catch (error) {
    throw new LabError(
      `The lab's image (${release}) could not be made in ${staging}.\n${error instanceof Error ? error.message : String(error)}\n  log: ${log}\n  It needs a mirror of it that apt can reach and 1.5 GB of disk; then run the command again.`,
    );
  }
}

async function createWebCa(): Promise<Image["webCa"]> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=daytona-edge lab web CA (stand-in for public roots)",
    keys,
    signingAlgorithm: algorithm,
    notAfter: new Date(Date.now() + 3650 * 86_400_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
  };
}
