import { describe, expect, test } from "vitest";
import { dnsRecords, protection } from "../../../infra/policies/lasting.ts";
import { planned } from "./planned.ts";

describe("protection", () => {
  const judge = (type: string, inputs: object, protect?: boolean) =>
    protection.judge(
      planned(
        type,
        "it",
        { ...inputs },
        protect === undefined ? {} : { protect },
      ),
    );
  const balancer = "aws:lb/loadBalancer:LoadBalancer";
  const record = "cloudflare:index/dnsRecord:DnsRecord";
  const kept = { enableDeletionProtection: true };

  test.each([
    ["aws:ec2/eip:Eip", {}, true],
    [balancer, kept, true],
    [balancer, { internal: true }, undefined],
    ["aws:ec2/vpc:Vpc", {}, true],
    [record, { name: "*.sandbox.example.net" }, true],
    [record, { name: "sandbox.example.net" }, undefined],
    ["aws:ec2/subnet:Subnet", {}, undefined],
  ])("%s with %j, protect %s", (type, inputs, protect) => {
    expect(judge(type, inputs, protect)).toEqual([]);
  });

  test.each([
    ["aws:ec2/eip:Eip", {}, undefined, "protect: true"],
    ["aws:ec2/eip:Eip", {}, false, "protect: true"],
    ["aws:ec2/vpc:Vpc", {}, undefined, "protect: true"],
    [record, { name: "*.sandbox.example.net" }, false, "protect: true"],
    [balancer, kept, false, "protect: true"],
    [balancer, {}, true, "enableDeletionProtection"],
    [
      balancer,
      { enableDeletionProtection: false },
      true,
      "enableDeletionProtection",
    ],
  ])("%s with %j, protect %s", (type, inputs, protect, text) => {
    expect(judge(type, inputs, protect)).toEqual([
      expect.stringContaining(text),
    ]);
  });
});

describe("dns-records", () => {
  const judge = (inputs: Record<string, unknown>) =>
    dnsRecords.judge(
      planned("cloudflare:index/dnsRecord:DnsRecord", "it", {
        name: "*.sandbox.example.net",
        ...inputs,
      }),
    );

  test.each([{ proxied: false, ttl: 300 }, { ttl: 60 }])("%j", (inputs) => {
    expect(judge(inputs)).toEqual([]);
  });

  test.each([
    [{ proxied: true, ttl: 300 }, "proxied"],
    [{ proxied: false }, "TTL"],
    [{ proxied: false, ttl: 1 }, "TTL"],
    [{ proxied: false, ttl: 59 }, "TTL"],
  ])("%j", (inputs, text) => {
    expect(judge(inputs)).toEqual([expect.stringContaining(text)]);
  });
});
