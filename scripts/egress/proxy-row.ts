/** What the gateway's proxy writes of a connection or a request. */
import * as z from "zod";

/** A row of the proxy, of TLS or of a request in it. */
export const proxyRow = z.looseObject({
  kind: z.enum(["tls", "http"]),
  client: z.string(),
  host: z.string(),
  verdict: z.string(),
  method: z.string().default(""),
  path: z.string().default(""),
  rule: z.string().default(""),
});
