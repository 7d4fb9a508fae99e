/**
 * Which rows of the machines' logs count, in CloudWatch's filter patterns. A
 * selector is letters, digits, "-" and "_"; "*" stands for any text at an end.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */

/** A machine's word that its rows are sent, once a minute. */
export const alive = '{ $.unit = "daytona-logs" && $.kind = "alive" }';

/** Every request that an edge answered. */
export const requests = '{ $.unit = "daytona-edge" && $.requestId = "*" }';

/**
 * Answers of the edge's own that nothing or nobody answered behind it: their
 * codes all begin so. An application's own 5xx has no code.
 */
export const ownErrors =
  '{ $.unit = "daytona-edge" && $.status >= 500 && $.error = "sandbox_*" }';

/** Requests whose answer began: others have no time, which is -1. */
export const answered = '{ $.unit = "daytona-edge" && $.responseMs >= 0 }';

/** What sandboxes wanted and did not get, from the proxy or from the firewall. */
export const denials =
  '{ ($.unit = "daytona-gateway" && ($.kind = "tls" || $.kind = "http") && $.verdict != "allowed" && $.verdict != "learnt") || ($.unit = "daytona-gateway-log" && $.src_ip = "*") }';
