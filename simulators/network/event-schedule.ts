/** An action that waits for its time. */
export interface ScheduledAction {
  cancel(): void;
}

/** What a model needs to act in time, ms. */
export interface Schedule {
  /** The instant that is being acted in. */
  readonly nowMs: number;
  at(timeMs: number, action: () => void): ScheduledAction;
}

class Entry implements ScheduledAction {
  readonly timeMs: number;
  readonly order: number;
  action: (() => void) | undefined;

  constructor(timeMs: number, order: number, action: () => void) {
    this.timeMs = timeMs;
    this.order = order;
    this.action = action;
  }

  cancel(): void {
    this.action = undefined;
  }

  isBefore(other: Entry): boolean {
    return this.timeMs < other.timeMs || (this.timeMs === other.timeMs && this.order < other.order);
  }
}

/** Actions in the order of their times; those of one instant in the order in which they were given. */
export class EventSchedule implements Schedule {
  readonly #heap: Entry[] = [];
  #nowMs: number;
  #order = 0;

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next action is due, ms. */
  get nextMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.timeMs;
  }

  at(timeMs: number, action: () => void): ScheduledAction {
    const entry = new Entry(Math.max(timeMs, this.#nowMs), this.#order++, action);
    this.#push(entry);
    return entry;
  }

  /** Acts in all that is due by `timeMs`, each in its own instant; at most `limit` of them. */
  runUntil(timeMs: number, limit = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < limit; count++) {
      const next = this.nextMs;
      if (next === undefined || next > timeMs) {
        this.#nowMs = Math.max(this.#nowMs, timeMs);
        return;
      }
      const entry = this.#pop();
      this.#nowMs = next;
      entry?.action?.();
    }
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.action === undefined) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !entry.isBefore(parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const child = right !== undefined && left !== undefined && right.isBefore(left) ? right : left;
      if (child === undefined || !child.isBefore(last)) break;
      heap[at] = child;
      at = child === right ? 2 * at + 2 : 2 * at + 1;
    }
    heap[at] = last;
    return first;
  }
}

/** So many actions at most are caught up before the process hears its sockets again. */
const CATCH_UP = 5_000;

/** A schedule that runs with the machine's monotonic clock. A late timer does not shift the actions that follow from it. */
export class LiveSchedule implements Schedule {
  readonly #events = new EventSchedule(performance.now());
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #entered = false;
  #closed = false;

  get nowMs(): number {
    return this.#events.nowMs;
  }

  at(timeMs: number, action: () => void): ScheduledAction {
    const scheduled = this.#events.at(timeMs, action);
    if (!this.#entered) this.#arm();
    return scheduled;
  }

  /** Does something that comes from outside, in the present instant. */
  enter(work: () => void): void {
    if (this.#closed) return;
    if (this.#entered) {
      work();
      return;
    }
    this.#entered = true;
    try {
      // Where it cannot keep up, its clock falls behind the machine's, and what comes from outside counts as coming then.
      this.#events.runUntil(performance.now(), CATCH_UP);
      work();
    } finally {
      this.#entered = false;
    }
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    const next = this.#events.nextMs;
    if (next === undefined || this.#closed) return;
    const waitMs = next - performance.now();
    const run = (): void => this.enter(() => undefined);
    if (waitMs <= 0) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, Math.ceil(waitMs));
  }
}
