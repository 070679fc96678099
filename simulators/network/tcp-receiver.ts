/** What an acknowledgement tells: all below `next`, and what lies above it (selective acknowledgement, RFC 2018). */
export interface Acknowledgement {
  /** Index of the first segment that has not arrived. */
  readonly next: number;
  /** Arrived out of order, the newest last. */
  readonly selected: readonly number[];
}

/** More than the three blocks of a real header name only where many single segments are missing at once. */
const SELECTED_MAX = 64;

/** The receiving end of a flow: hands on what has arrived in order. */
export class TcpReceiver {
  readonly #deliver: (content: Buffer) => void;
  readonly #waiting = new Map<number, Buffer>();
  #next = 0;
  #waitingBytes = 0;
  #deliveredBytes = 0;

  constructor(deliver: (content: Buffer) => void) {
    this.#deliver = deliver;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** Held back until what is before it has arrived. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  take(index: number, content: Buffer): Acknowledgement {
    if (index >= this.#next && !this.#waiting.has(index)) {
      this.#waiting.set(index, content);
      this.#waitingBytes += content.length;
    }
    for (;;) {
      const ready = this.#waiting.get(this.#next);
      if (ready === undefined) break;
      this.#waiting.delete(this.#next++);
      this.#waitingBytes -= ready.length;
      this.#deliveredBytes += ready.length;
      this.#deliver(ready);
    }
    return this.acknowledge();
  }

  acknowledge(): Acknowledgement {
    const selected = this.#waiting.size === 0 ? [] : [...this.#waiting.keys()].slice(-SELECTED_MAX);
    return { next: this.#next, selected };
  }
}
