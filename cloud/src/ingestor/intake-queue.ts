export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Messages between the broker and the commit. Policy of its bound: past it, the caller is told to wait, and as MQTT takes
 * no next message before the last one is answered, the broker holds what follows.
 */
export class IntakeQueue {
  readonly #limits: QueueLimits;
  #waiting: ReceivedMessage[] = [];
  #bytes = 0;
  #held: (() => void)[] = [];
  #wake: (() => void) | undefined;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Takes the message; calls `proceed` at once, or when there is room for another one. */
  offer(message: ReceivedMessage, proceed: () => void): void {
    this.#waiting.push(message);
    this.#bytes += message.payload.length;
    if (this.#isFull()) this.#held.push(proceed);
    else proceed();
    this.#wake?.();
  }

  /** Up to `limit` messages, in order of arrival. */
  take(limit: number): ReceivedMessage[] {
    const taken = this.#waiting.splice(0, limit);
    for (const { payload } of taken) this.#bytes -= payload.length;
    if (!this.#isFull()) for (const proceed of this.#held.splice(0)) proceed();
    return taken;
  }

  /** Resolves when at least `count` messages wait, `signal` aborts, or `waitMs` (where it is given) have passed. */
  waitFor(count: number, signal: AbortSignal, waitMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        this.#wake = undefined;
        resolve();
      };
      const timer = waitMs === undefined ? undefined : setTimeout(finish, waitMs);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = () => {
        if (this.#waiting.length >= count) finish();
      };
      if (signal.aborted) finish();
      else this.#wake();
    });
  }

  #isFull(): boolean {
    return this.#waiting.length >= this.#limits.messages || this.#bytes >= this.#limits.bytes;
  }
}
