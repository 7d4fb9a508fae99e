/** What a platform needs of the configuration, and what only another one reads. */
import { overlap } from "../platforms/aws/subnets.ts";
import { otherSitesPorts } from "../machine/places.ts";
import { ownSockets, publicAddresses } from "../platforms/host/settings.ts";
import { type Problem, missing } from "./problems.ts";
import { type Parsed, schema } from "./schema.ts";

/** @returns a problem for each key that is missing, or that nothing reads */
export function platformProblems(parsed: Parsed): Problem[] {
  const { platform } = parsed;
  const ofOthers = (["aws", "host"] as const).filter(
    (name) => name !== platform && parsed[name] !== undefined,
  );
  return [
    ...ofOthers.map((key) => ({
      key,
      message: `nothing reads it on platform ${platform}; remove it, or set platform to ${key}`,
    })),
    ...problemsOnPlatform[platform](parsed),
  ];
}

const problemsOnPlatform: Readonly<
  Record<Parsed["platform"], (parsed: Parsed) => Problem[]>
> = {
  host: ({ host }) => {
    const problems: Problem[] = [];
    if (!host) {
      problems.push(missing(schema, ["host"]));
    } else {
      const { ipv4, ipv6 } = publicAddresses(host);
      if (ipv4.length + ipv6.length === 0) {
        problems.push({
          key: "host.publicAddresses",
          message: `missing, while host.address, ${host.address}, is a name; set what the sandboxes' names shall lead to, for example ipv4: [203.0.113.10]`,
          commands: [
            "pulumi config set --path 'daytona-edge:host.publicAddresses.ipv4[0]' <address>",
          ],
        });
      }
      for (const key of ownSockets(host)) {
        problems.push({
          key: `host.otherSites.${key}`,
          message: `the edge itself listens at this port; let the other web server listen at another one, for example 127.0.0.1:${String(otherSitesPorts[key])}`,
        });
      }
    }
    return problems;
  },

  aws: ({ aws, egress, gateway }) => {
    const problems: Problem[] = [];
    if (!aws) {
      problems.push(missing(schema, ["aws"]));
    } else if (
      // What an adopted one has, AWS says (platforms/aws/networks.ts).
      aws.services.cidr &&
      aws.sandboxes.cidr &&
      overlap(aws.services.cidr, aws.sandboxes.cidr)
    ) {
      problems.push({
        key: "aws.sandboxes.cidr",
        message: `${aws.sandboxes.cidr} and aws.services.cidr, ${aws.services.cidr}, share addresses; networks that are peered cannot`,
      });
    }
    if (gateway) {
      problems.push({
        key: "gateway",
        message:
          "nothing reads it on platform aws, which makes gateways of its own; remove it",
      });
    }
    if (egress?.learn) {
      problems.push({
        key: "egress.learn",
        message:
          "the network of sandboxes on platform aws answers no unlisted name, so there is nothing to learn; learn on a stack of another platform, and remove it here",
      });
    }
    return problems;
  },
};
