/** The records of a stack that a killed run has left at Cloudflare. */
import { cloudflare } from "../internet.ts";

export async function removeNames(domain: string): Promise<void> {
  for (const { id } of await cloudflare<{ id: string }[]>(
    `?name.endswith=${domain}&per_page=100`,
  )) {
    await cloudflare(`/${id}`, "-X", "DELETE");
  }
}
