import { expect, it } from "vitest";
import { ZoneReplica } from "../../../scripts/lab/internet/dns/replica.ts";
import { Zone } from "../../../scripts/lab/internet/dns/zone.ts";

const version = (serial: number) =>
  new Zone(
    {
      type: "SOA",
      name: "test",
      data: { mname: "n", rname: "r", serial },
    },
    [],
  );

it("learns of a change after its lag, and forgets nothing that it had", () => {
  let now = 1_000;
  const replica = new ZoneReplica(version(1), () => now);
  const serial = () => replica.zone.soa.data.serial;
  replica.publish(version(2));
  replica.lag = 500;
  expect(serial()).toBe(2);

  replica.publish(version(3));
  now += 499;
  replica.publish(version(4));
  expect(serial()).toBe(2);
  now += 1;
  expect(serial()).toBe(3);
  replica.lag = 0;
  expect(serial()).toBe(4);
});
