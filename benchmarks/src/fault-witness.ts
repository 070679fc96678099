import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** An event that the second node noted after its append had returned. */
export interface WitnessedEvent {
  readonly eventId: string;
  readonly atMs: number;
}

/** Lines of the journal: word, ms since 1970, and then what it is about. */
export const JOURNAL_WORDS = {
  /** It is about to append this event. */
  tries: 'tries',
  /** The append has returned: event, outbox, and the numbers of its transaction. */
  appended: 'appended',
  /** The centre has acknowledged numbers: outbox and numbers. */
  acknowledged: 'acked',
} as const;

const CHUNK = 64 * 1024;

/**
 * Reads what the second node wrote down about itself while it runs and is killed. Its file lies outside of the product and of the disks
 * that a campaign fills.
 */
export class Witness {
  readonly tried = new Set<string>();
  readonly appended: WitnessedEvent[] = [];
  readonly #file: string;
  readonly #appendedAt = new Map<string, number>();
  /** When it was appended, and when the centre had acknowledged it, ms since 1970; in order of acknowledgement. */
  readonly #journeys: { readonly fromMs: number; readonly toMs: number }[] = [];
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** When the first message that was appended at or after an instant had come through to the centre and back. */
  findProof(fromMs: number): number | undefined {
    this.refresh();
    return this.#journeys.find((journey) => journey.fromMs >= fromMs)?.toMs;
  }

  /** Takes in what is new. */
  refresh(): void {
    if (!existsSync(this.#file)) return;
    const { size } = statSync(this.#file);
    const file = openSync(this.#file, 'r');
    try {
      const buffer = Buffer.alloc(CHUNK);
      while (this.#offset < size) {
        const length = readSync(file, buffer, 0, CHUNK, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        const lines = (this.#rest + buffer.toString('latin1', 0, length)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
      }
    } finally {
      closeSync(file);
    }
  }

  #take(line: string): void {
    const [word, time, ...subjects] = line.split(' ');
    const atMs = Number(time);
    if (word === JOURNAL_WORDS.tries) for (const eventId of subjects) this.tried.add(eventId);
    if (word === JOURNAL_WORDS.appended) {
      const [eventId = '', outboxId, ...seqs] = subjects;
      this.appended.push({ eventId, atMs });
      for (const seq of seqs) this.#appendedAt.set(`${outboxId} ${seq}`, atMs);
    }
    if (word === JOURNAL_WORDS.acknowledged) {
      const [outboxId, ...seqs] = subjects;
      for (const key of seqs.map((seq) => `${outboxId} ${seq}`)) {
        const fromMs = this.#appendedAt.get(key);
        if (fromMs !== undefined) this.#journeys.push({ fromMs, toMs: atMs });
        this.#appendedAt.delete(key);
      }
    }
  }
}
