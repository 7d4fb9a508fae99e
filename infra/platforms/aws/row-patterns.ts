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
 * The edge's own 502, 503 and 504, for what stands behind it: their codes alone
 * begin so (edge/errors/texts.yaml). An application's own error has no code.
 */
export const ownErrors = '{ $.unit = "daytona-edge" && $.error = "sandbox_*" }';

/** Requests whose answer began: others have no time, which is -1. */
export const answered = '{ $.unit = "daytona-edge" && $.responseMs >= 0 }';

/** What sandboxes wanted and did not get, from the proxy or from the firewall. */
export const denials =
  '{ ($.unit = "daytona-gateway" && ($.kind = "tls" || $.kind = "http") && $.verdict != "allowed" && $.verdict != "learnt") || ($.unit = "daytona-gateway-log" && $.src_ip = "*") }';
