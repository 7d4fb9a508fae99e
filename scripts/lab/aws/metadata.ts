/**
 * Stand-in of EC2's instance metadata service, version 2: tells a machine of
 * the lab what the file says that is its argument, one value a path below
 * `meta-data/`. The file is read for each answer: changing it is how one says to
 * a machine that Auto Scaling lets it go, say. Without a token it tells nothing, as instances of the stack
 * are set to.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * usage: metadata.ts FILE
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [file = ""] = process.argv.slice(2);
const address = "169.254.169.254";
/** Tokens, and when they end, in milliseconds since 1970. */
const tokens = new Map<string, number>();

/** Longest life of a token that EC2 gives, in seconds. */
const longest = 21_600;

createServer((request, response) => {
  const answer = (status: number, text = "") => {
    response.writeHead(status, { "Content-Type": "text/plain" }).end(text);
  };
  const header = (name: string) => {
    const value = request.headers[`x-aws-ec2-metadata-token${name}`];
    return typeof value === "string" ? value : "";
  };
  const path = request.url ?? "";
  if (request.method === "PUT" && path === "/latest/api/token") {
    const seconds = Number(header("-ttl-seconds"));
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > longest) {
      answer(400);
      return;
    }
    // One that was passed on by a proxy gets none.
    if (request.headers["x-forwarded-for"] !== undefined) {
      answer(403);
      return;
    }
    const token = randomBytes(40).toString("base64url");
    tokens.set(token, Date.now() + seconds * 1000);
    answer(200, token);
    return;
  }
  if ((tokens.get(header("")) ?? 0) < Date.now()) {
    answer(401);
    return;
  }
  const known = JSON.parse(readFileSync(file, "utf8")) as Record<
    string,
    string | undefined
  >;
  const value = known[path.replace("/latest/meta-data/", "")];
  if (value === undefined) answer(404);
  else answer(200, value);
}).listen(80, address);
