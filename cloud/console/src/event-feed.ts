import type { EventSummary } from '../../src/api/api-schema.ts';
import { ApiFailure, fetchAccount } from './api-client.ts';

export type FeedState = 'connecting' | 'live' | 'lost';

export interface FeedListener {
  onState(state: FeedState): void;
  /** The list must be loaded: everything that changes from now on is told. */
  onStart(): void;
  onChange(event: EventSummary): void;
  onSignedOut(): void;
}

/** The server says something at least every 15 s; after this long without a word the line is dead. */
const SILENCE_MS = 40_000;
const RETRY_FIRST_MS = 2_000;
const RETRY_LONGEST_MS = 30_000;

/**
 * The live stream of the API. A broken line is taken up again by itself: by the browser, which resumes where it was, or
 * from the start where the server refused or fell silent.
 */
export class EventFeed {
  private source: EventSource | undefined;
  private timer: number | undefined;
  private retryMs = RETRY_FIRST_MS;
  private isStopped = false;

  constructor(private readonly listener: FeedListener) {}

  start(): void {
    this.isStopped = false;
    this.listener.onState('connecting');
    this.open();
  }

  stop(): void {
    this.isStopped = true;
    this.close();
  }

  private open(): void {
    this.close();
    const source = new EventSource('/api/v1/events/stream');
    this.source = source;
    source.addEventListener('ready', (message) => {
      this.retryMs = RETRY_FIRST_MS;
      this.hear();
      this.listener.onState('live');
      if (JSON.parse(message.data).resumed !== true) this.listener.onStart();
    });
    source.addEventListener('change', (message) => {
      this.hear();
      this.listener.onChange(JSON.parse(message.data));
    });
    source.addEventListener('alive', () => this.hear());
    source.addEventListener('error', () => {
      if (this.source !== source) return;
      this.listener.onState('lost');
      if (source.readyState === EventSource.CLOSED) this.retry();
      else this.hear();
    });
  }

  private close(): void {
    window.clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private hear(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.listener.onState('lost');
      this.retry();
    }, SILENCE_MS);
  }

  private retry(): void {
    this.close();
    this.timer = window.setTimeout(() => void this.reopen(), this.retryMs);
    this.retryMs = Math.min(RETRY_LONGEST_MS, this.retryMs * 2);
  }

  private async reopen(): Promise<void> {
    const isSignedIn = await this.askSignedIn();
    if (this.isStopped) return;
    if (isSignedIn === undefined) this.retry();
    else if (isSignedIn) this.open();
    else this.listener.onSignedOut();
  }

  /** Undefined where the centre cannot be asked. */
  private async askSignedIn(): Promise<boolean | undefined> {
    try {
      return (await fetchAccount({ background: true })) !== undefined;
    } catch (error) {
      if (error instanceof ApiFailure) return undefined;
      throw error;
    }
  }
}
