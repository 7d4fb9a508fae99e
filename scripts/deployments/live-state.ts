/** Live state is checked as an agent checks it, before it is written. */
import { accessKeysMap } from "../../infra/edge/access-keys.ts";
import { parseRevocations } from "../../infra/edge/revocations.ts";
import { verifyCredentials } from "../../infra/gateway/credentials-document.ts";
import type { LiveStateStore } from "./deployment.ts";

/** What operators' commands may write; each throws what an agent would say. */
const checks: Readonly<Record<string, (content: string) => unknown>> = {
  "access.json": accessKeysMap,
  "egress-credentials.json": (content) =>
    verifyCredentials(Buffer.from(content)),
  "revocations.json": parseRevocations,
};

/** @returns the store, but that `write` throws for what no agent would take */
export function checkedStore(store: LiveStateStore): LiveStateStore {
  return {
    read: (document) => store.read(document),
    lock: (work) => store.lock(work),
    write: async (document, content) => {
      const check = checks[document];
      if (!check) {
        throw new Error(
          `${document} is not written by hand: pulumi up or the certificate's program makes it; operators' commands write ${Object.keys(checks).join(", ")}`,
        );
      }
      try {
        check(Buffer.from(content).toString());
      } catch (error) {
        throw new Error(
          `${document} is not written, for every machine would refuse it: ${(error as Error).message}`,
          { cause: error },
        );
      }
      await store.write(document, content);
    },
  };
}
