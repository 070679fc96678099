import { SeededRandom } from '../random/seeded-random.ts';
import { Bottleneck, type DirectionConditions, type DirectionStatistics } from './bottleneck.ts';
import { type CongestionControlName, createCongestionControl } from './congestion-control.ts';
import type { CongestionControl } from './congestion-sample.ts';
import type { Schedule } from './event-schedule.ts';

export interface LinkConditions {
  /** Of each direction, headers included. Absent: without limit. */
  readonly bitsPerSecond?: number;
  /** Without waiting in the queue; half of it in each direction, ms. */
  readonly roundTripMs: number;
  /** Share of the packets of each direction that are lost at random, 0–1. */
  readonly lossFraction: number;
  /** What each direction holds back before it drops the newest. Default: one bandwidth-delay product, at least 64 KiB. */
  readonly bufferBytes?: number;
}

export interface LinkDirections {
  /** From the clients to the target. */
  readonly up: DirectionStatistics;
  readonly down: DirectionStatistics;
}

const MIN_BUFFER_BYTES = 64 * 1024;

/** Two directions that all flows share, and the random numbers of both. Without sockets: it may run in any time. */
export class EmulatedLink {
  readonly up: Bottleneck;
  readonly down: Bottleneck;
  readonly #random: SeededRandom;
  #conditions: LinkConditions;
  #frozen = false;

  constructor(options: { schedule: Schedule; conditions: LinkConditions; seed: number }) {
    const random = new SeededRandom(options.seed);
    this.#random = random;
    this.#conditions = checkConditions(options.conditions);
    const direction = describeDirection(this.#conditions);
    this.up = new Bottleneck(options.schedule, () => random.next(), direction);
    this.down = new Bottleneck(options.schedule, () => random.next(), direction);
  }

  get conditions(): LinkConditions {
    return this.#conditions;
  }

  get statistics(): LinkDirections {
    return { up: this.up.statistics, down: this.down.statistics };
  }

  setConditions(conditions: LinkConditions): void {
    this.#conditions = checkConditions(conditions);
    const direction = describeDirection(conditions);
    this.up.setConditions(direction);
    this.down.setConditions(direction);
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  setFrozen(frozen: boolean): void {
    this.#frozen = frozen;
    this.up.setFrozen(frozen);
    this.down.setFrozen(frozen);
  }

  createCongestionControl(name: CongestionControlName): CongestionControl {
    return createCongestionControl(name, () => this.#random.next());
  }
}

function checkConditions(conditions: LinkConditions): LinkConditions {
  const { bitsPerSecond, roundTripMs, lossFraction, bufferBytes } = conditions;
  const isPossible =
    (bitsPerSecond === undefined || bitsPerSecond > 0) &&
    roundTripMs >= 0 &&
    lossFraction >= 0 &&
    lossFraction <= 1 &&
    (bufferBytes === undefined || bufferBytes > 0);
  if (!isPossible)
    throw new RangeError(`Cannot emulate a link: ${JSON.stringify(conditions)} is out of range`);
  return conditions;
}

function describeDirection(conditions: LinkConditions): DirectionConditions {
  const { bitsPerSecond, roundTripMs, lossFraction } = conditions;
  const product = ((bitsPerSecond ?? 0) / 8_000) * roundTripMs;
  return {
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
    delayMs: roundTripMs / 2,
    lossFraction,
    bufferBytes:
      conditions.bufferBytes ??
      (bitsPerSecond === undefined ? Number.POSITIVE_INFINITY : Math.max(product, MIN_BUFFER_BYTES)),
  };
}
