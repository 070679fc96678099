import type { Measurement } from '@ngatu/contract';

/** What was sent: a numbered message by its channel, the state of the node, or an evidence file by its role. */
export interface SentPortion {
  /** Lower-case words with hyphens: `event`, `telemetry`, `still-at`, `clip`. */
  readonly class: string;
  readonly camera?: string;
  readonly bytes: number;
}

interface Tally {
  readonly class: string;
  readonly camera: string | undefined;
  bytes: number;
  portions: number;
}

/** A class and camera is one entry; what would be more is counted under no camera, so that it stays bounded. */
const TALLIES_MAX = 4_000;
/** Measurements of one telemetry message: two of each tally. */
const TALLIES_REPORTED = 200;

/**
 * Bytes that this node has sent, by class and camera: payloads with their topic or path, without what TCP and TLS add. Repetitions count,
 * for the link carried them.
 */
export class ByteAccount {
  /** Since the last cut. */
  readonly #tallies = new Map<string, Tally>();
  /** Since the start of the agent. */
  readonly #totals = new Map<string, number>();

  add(portion: SentPortion): void {
    this.#totals.set(portion.class, (this.#totals.get(portion.class) ?? 0) + portion.bytes);
    const camera = this.#tallies.size < TALLIES_MAX ? portion.camera : undefined;
    const key = `${portion.class} ${camera ?? ''}`;
    const tally = this.#tallies.get(key) ?? { class: portion.class, camera, bytes: 0, portions: 0 };
    tally.bytes += portion.bytes;
    tally.portions += 1;
    this.#tallies.set(key, tally);
  }

  /** Bytes by class since the start of the agent. */
  get totals(): Record<string, number> {
    return Object.fromEntries(this.#totals);
  }

  /** What was sent since the last cut, as the measurements of one message; what does not fit comes with the next one. */
  cut(atMs: number): Measurement[] {
    const at = new Date(atMs).toISOString();
    const measurements: Measurement[] = [];
    for (const [key, tally] of [...this.#tallies].slice(0, TALLIES_REPORTED)) {
      this.#tallies.delete(key);
      const tags = { class: tally.class, ...(tally.camera === undefined ? {} : { camera: tally.camera }) };
      measurements.push({ at, metric: 'bytesSent', value: tally.bytes, tags });
      measurements.push({ at, metric: 'messagesSent', value: tally.portions, tags });
    }
    return measurements;
  }
}
