/** A stream of a log group in CloudWatch, written with the role of the machine. */
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  InvalidParameterException,
  PutLogEventsCommand,
  type RejectedLogEventsInfo,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import type { LogEvent } from "./batches.ts";
import type { LogStream } from "./ship.ts";

/** Longest that a request may take, in milliseconds. */
const patience = 20_000;

export class CloudWatchStream implements LogStream {
  readonly #client: CloudWatchLogsClient;
  readonly #stream: {
    readonly logGroupName: string;
    readonly logStreamName: string;
  };

  constructor(region: string, group: string, stream: string) {
    this.#client = new CloudWatchLogsClient({
      region,
      // Whoever sends tries again.
      maxAttempts: 1,
    });
    this.#stream = { logGroupName: group, logStreamName: stream };
  }

  async put(events: readonly LogEvent[]): Promise<string | undefined> {
    try {
      return await this.#put(events);
    } catch (error) {
      if (error instanceof InvalidParameterException) return error.message;
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    await this.#create();
    return this.#put(events);
  }

  async #put(events: readonly LogEvent[]): Promise<string | undefined> {
    const { rejectedLogEventsInfo } = await this.#client.send(
      new PutLogEventsCommand({ ...this.#stream, logEvents: [...events] }),
      { abortSignal: AbortSignal.timeout(patience) },
    );
    return rejectedLogEventsInfo && rejected(rejectedLogEventsInfo);
  }

  async #create(): Promise<void> {
    try {
      await this.#client.send(new CreateLogStreamCommand(this.#stream), {
        abortSignal: AbortSignal.timeout(patience),
      });
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
  }
}

/** Rows whose time CloudWatch does not take are gone, the others are there. */
function rejected(info: RejectedLogEventsInfo): string {
  return [
    info.expiredLogEventEndIndex !== undefined && "rows beyond the retention",
    info.tooOldLogEventEndIndex !== undefined && "rows older than 14 days",
    info.tooNewLogEventStartIndex !== undefined && "rows of the future",
  ]
    .filter((what) => what !== false)
    .join(", ");
}
