/** What an error says; of several at once, as of a host with two addresses, what each does. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messageOf).join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}
