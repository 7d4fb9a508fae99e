/** Live state is checked as an agent checks it, before it is written. */
import { documents, namesWrittenBy } from "../../infra/machine/live-state.ts";
import type { LiveStateStore } from "./deployment.ts";

/** What operators' commands may write. */
const written = namesWrittenBy("operators");

/** @returns the store, but that `write` throws for what no agent would take */
export function checkedStore(store: LiveStateStore): LiveStateStore {
  return {
    read: (document) => store.read(document),
    lock: (work) => store.lock(work),
    write: async (name, content) => {
      const document = documents.find((one) => one.name === name);
      if (!document || !written.includes(name)) {
        throw new Error(
          `${name} is not written by hand: pulumi up or the certificate's program makes it; operators' commands write ${written.join(", ")}`,
        );
      }
      try {
        document.parse(Buffer.from(content).toString());
      } catch (error) {
        throw new Error(
          `${name} is not written, for every machine would refuse it: ${(error as Error).message}`,
          { cause: error },
        );
      }
      await store.write(name, content);
    },
  };
}
