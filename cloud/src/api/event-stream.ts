import { PassThrough, type Readable } from 'node:stream';
import { NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { EventStore, EventSummary } from '../store/event-store.ts';

const POLL_EVERY_MS = 300;
const HEARTBEAT_EVERY_MS = 15_000;
const MAX_CLIENTS = 100;
/** A browser that lags this far behind is disconnected; it comes back and resumes where it was. */
const MAX_BUFFERED_BYTES = 256 * 1024;
/** Changes written to a browser in one round. */
const BATCH = 200;
/** Who missed more than this is told to load the list anew. */
const MAX_RESUME = 1_000;

interface Client {
  readonly stream: PassThrough;
  /** The last change written to it. */
  change: number;
  lastWriteAtMs: number;
  readonly readChange: (event: EventSummary) => EventSummary | undefined;
  readonly isAllowed: () => boolean;
}

export interface StreamRequest {
  /** The browser's `Last-Event-ID`. */
  readonly lastEventId: string | undefined;
  /** What the person may see of a change; undefined where that is nothing. Asked after `isAllowed`. */
  readonly readChange: (event: EventSummary) => EventSummary | undefined;
  /** False once the session behind the stream has ended; asked before every write. */
  readonly isAllowed: () => boolean;
}

/** The change to go on from; undefined where the list must be loaded anew. */
function parseResume(lastEventId: string | undefined, latest: number): number | undefined {
  if (lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId)) return undefined;
  const change = Number(lastEventId);
  return change <= latest && latest - change <= MAX_RESUME ? change : undefined;
}

/**
 * Server-sent events of what changes in the event store. One poll of a number serves all browsers; it runs only while
 * somebody listens. Messages: `ready {resumed}` first (not resumed: load the list now), then `change` with an
 * EventSummary each; the id is the number of the change. `alive` comes every 15 s where nothing else does, so that a browser
 * notices a connection that has died in silence.
 */
export class EventStream {
  private readonly clients = new Set<Client>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly events: Pick<EventStore, 'latestChange' | 'listChanges'>,
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {}

  /**
   * Adds a browser. The stream ends by itself when the caller destroys it.
   * @throws NgatuError RATE_LIMITED where too many listen
   */
  connect({ lastEventId, readChange, isAllowed }: StreamRequest): Readable {
    if (this.clients.size >= MAX_CLIENTS) {
      throw new NgatuError('RATE_LIMITED', 'Cannot open the live stream: too many browsers listen', {
        retryable: true,
      });
    }
    const latest = this.events.latestChange();
    const resume = parseResume(lastEventId, latest);
    const stream = new PassThrough({ highWaterMark: MAX_BUFFERED_BYTES });
    const client: Client = {
      ...{ stream, readChange, isAllowed },
      change: resume ?? latest,
      lastWriteAtMs: this.now(),
    };
    stream.once('close', () => this.remove(client));
    this.clients.add(client);
    const ready = JSON.stringify({ resumed: resume !== undefined });
    this.write(client, `retry: 2000\nid: ${client.change}\nevent: ready\ndata: ${ready}\n\n`);
    this.timer ??= setInterval(() => this.poll(), POLL_EVERY_MS);
    return stream;
  }

  /** Ends every stream; the browsers will try again. */
  close(): void {
    for (const client of this.clients) client.stream.end();
    this.clients.clear();
    this.stopPolling();
  }

  private remove(client: Client): void {
    this.clients.delete(client);
    if (this.clients.size === 0) this.stopPolling();
  }

  private stopPolling(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private poll(): void {
    try {
      this.deliver(this.events.latestChange());
    } catch (error) {
      // Whoever listens must see that nothing comes any more.
      this.logger.error({ err: error }, 'live stream lost the event store');
      this.close();
    }
  }

  private deliver(latest: number): void {
    const batches = new Map<number, { change: number; event: EventSummary }[]>();
    for (const client of [...this.clients]) {
      if (client.change < latest) {
        const batch = batches.get(client.change) ?? this.events.listChanges(client.change, BATCH);
        batches.set(client.change, batch);
        this.writeChanges(client, batch, latest);
      } else if (this.now() - client.lastWriteAtMs >= HEARTBEAT_EVERY_MS) {
        if (client.isAllowed()) this.write(client, 'event: alive\ndata: {}\n\n');
        else client.stream.end();
      }
    }
  }

  private writeChanges(
    client: Client,
    batch: { change: number; event: EventSummary }[],
    latest: number,
  ): void {
    if (!client.isAllowed()) {
      client.stream.end();
      return;
    }
    const text = batch.flatMap(({ change, event }) => {
      const shown = client.readChange(event);
      if (shown === undefined) return [];
      return [`id: ${change}\nevent: change\ndata: ${JSON.stringify(shown)}\n\n`];
    });
    client.change = batch.length < BATCH ? latest : (batch.at(-1)?.change ?? latest);
    if (text.length > 0) this.write(client, text.join(''));
  }

  private write(client: Client, text: string): void {
    const { stream } = client;
    if (stream.readableLength + stream.writableLength + text.length > MAX_BUFFERED_BYTES) {
      this.logger.warn('a browser does not read its live stream; disconnected');
      stream.destroy();
      return;
    }
    stream.write(text);
    client.lastWriteAtMs = this.now();
  }
}
