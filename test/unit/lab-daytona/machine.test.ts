import { expect, it } from "vitest";
import { daytonaMachine } from "../../../scripts/lab/daytona/machine.ts";

const machine = daytonaMachine({
  name: "daytona",
  ipv4: "198.18.0.3",
  ipv6: "2001:db8:198:18::3",
  programs: { server: "", toolbox: "", app: "" },
  apiKey: "SECRET-api",
  proxyApiKey: "SECRET-proxy",
  domain: "sandbox.example.test",
  webCaPem: "web CA",
  login: {
    operator: "ssh-ed25519 operator",
    host: { private: "SECRET-host", public: "ssh-ed25519 host" },
  },
  containers: "/containers",
  snapshots: "/snapshots",
  sandboxes: [{ id: "a", public: true, previewToken: "SECRET-t", ports: [80] }],
});
const file = (path: string) =>
  machine.files.find((it) => it.path === path)?.content.toString();

it("keeps secrets from everyone but root", () => {
  const secret = machine.files.filter((it) =>
    it.content.toString().includes("SECRET"),
  );
  expect(secret).toHaveLength(3);
  for (const { path, mode } of secret)
    expect([path, mode]).toEqual([path, 0o600]);
});

it("lets root in with the given key only, as the given host", () => {
  expect(file("/root/.ssh/authorized_keys")).toBe("ssh-ed25519 operator\n");
  expect(file("/etc/ssh/ssh_host_ed25519_key")).toBe("SECRET-host");
  const sshd = file("/etc/ssh/sshd_config.d/lab.conf");
  expect(sshd).toContain("PasswordAuthentication no");
  expect(sshd).toContain("HostKey /etc/ssh/ssh_host_ed25519_key");
});

it("starts every unit it names, and the given sandboxes", () => {
  for (const unit of machine.units.filter((it) => it.startsWith("daytona"))) {
    expect(file(`/etc/systemd/system/${unit}`)).toContain("[Service]");
  }
  expect(JSON.parse(file("/etc/daytona-lab/sandboxes.json") ?? "")).toEqual([
    {
      id: "a",
      public: true,
      previewToken: "SECRET-t",
      env: { APP_PORTS: "80" },
    },
  ]);
  expect(machine.binds).toEqual([
    { host: "/snapshots", machine: "/srv/snapshots", readOnly: true },
  ]);
});
