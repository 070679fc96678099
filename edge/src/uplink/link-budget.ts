/** Whose bytes they are: what goes at once, what somebody asked for, what nobody asked for. */
export type BudgetClass = 'derived' | 'wanted' | 'idle';
/** `awaited`: asked for a moment ago. It is counted as wanted, and gets its turns like a picture. */
export type UploadTurn = BudgetClass | 'awaited';

export interface LinkBudgetOptions {
  /** Absent: without limit. */
  readonly bitsPerSecond?: number;
  /** Never steps back, ms. */
  readonly clock: { monotonicMs(): number };
}

interface Waiter {
  readonly bytes: number;
  readonly turn: UploadTurn;
  readonly proceed: () => void;
}

/** So much may be sent at once after a pause, ms of the rate. */
const BURST_MS = 100;
/** Of so many turns one goes to the less urgent: its connection must not fall asleep and break. */
const LESSER_TURN = 8;
const RANK: Readonly<Record<UploadTurn, number>> = { awaited: 0, derived: 0, wanted: 1, idle: 2 };

/** What all uploads of a node together may send: a bucket of tokens, one a byte, that fills at the rate of the profile. */
export class LinkBudget {
  readonly #bytesPerMs: number | undefined;
  readonly #clock: LinkBudgetOptions['clock'];
  readonly #waiting: Waiter[] = [];
  #tokens: number;
  #filledAtMs: number;
  #turns = 0;
  #timer: NodeJS.Timeout | undefined;
  #sent: Record<BudgetClass, number> = { derived: 0, wanted: 0, idle: 0 };

  constructor({ bitsPerSecond, clock }: LinkBudgetOptions) {
    this.#bytesPerMs = bitsPerSecond === undefined ? undefined : bitsPerSecond / 8_000;
    this.#clock = clock;
    this.#tokens = this.#capacity;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Granted so far, bytes of payload by class. */
  get sent(): Readonly<Record<BudgetClass, number>> {
    return { ...this.#sent };
  }

  /** Resolves when `bytes` may be sent. @throws the signal's reason */
  async take(bytes: number, turn: UploadTurn, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#bytesPerMs === undefined) {
      this.#count(bytes, turn);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const proceed = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiter: Waiter = { bytes, turn, proceed };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#grant();
    });
  }

  get #capacity(): number {
    return (this.#bytesPerMs ?? 0) * BURST_MS;
  }

  /** A turn may overdraw the bucket; the next one then waits longer, so the rate holds for any size. */
  #grant(): void {
    this.#fill();
    while (this.#tokens > 0) {
      const next = this.#takeNext();
      if (next === undefined) return;
      this.#tokens -= next.bytes;
      this.#count(next.bytes, next.turn);
      next.proceed();
    }
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    const waitMs = Math.max(1, -this.#tokens / (this.#bytesPerMs ?? 1));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#grant();
    }, waitMs);
  }

  #count(bytes: number, turn: UploadTurn): void {
    this.#sent[turn === 'awaited' ? 'wanted' : turn] += bytes;
  }

  #fill(): void {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(
      this.#capacity,
      this.#tokens + (now - this.#filledAtMs) * (this.#bytesPerMs ?? 0),
    );
    this.#filledAtMs = now;
  }

  #takeNext(): Waiter | undefined {
    const ranks = this.#waiting.map((waiter) => RANK[waiter.turn]);
    const wanted = ++this.#turns % LESSER_TURN === 0 ? Math.max(...ranks) : Math.min(...ranks);
    const index = ranks.indexOf(wanted);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}
