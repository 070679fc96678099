import { type AckSample, type CongestionControl, INITIAL_WINDOW } from './congestion-sample.ts';

/** Cardwell et al., BBR: Congestion-Based Congestion Control, ACM Queue 14 (5), 2016; draft-cardwell-iccrg-bbr-00. */
const STARTUP_GAIN = 2.885;
const WINDOW_GAIN = 2;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const BANDWIDTH_ROUNDS = 10;
const MIN_RTT_HOLD_MS = 10_000;
const PROBE_RTT_MS = 200;
const MIN_WINDOW = 4;
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;

type Mode = 'startup' | 'drain' | 'probe-bandwidth' | 'probe-round-trip';

/** BBR version 1: sends at the highest rate that lately arrived; a loss alone slows nothing. */
export class BbrControl implements CongestionControl {
  /** Uniform in [0, 1). */
  readonly #random: () => number;
  #mode: Mode = 'startup';
  /** Highest delivery rate of each round, segments a ms, newest last. */
  readonly #rates: { round: number; rate: number }[] = [];
  #minRttMs = Number.POSITIVE_INFINITY;
  #minRttAtMs = 0;
  #fullRate = 0;
  #fullRounds = 0;
  #lastRound = -1;
  #cyclePhase = 0;
  #cycleAtMs = 0;
  #probeUntilMs: number | undefined;
  #timedOut = false;
  #timeoutWindow = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  get window(): number {
    if (this.#timedOut) return this.#timeoutWindow;
    if (this.#mode === 'probe-round-trip') return MIN_WINDOW;
    if (this.#rates.length === 0) return INITIAL_WINDOW;
    const gain = this.#mode === 'startup' || this.#mode === 'drain' ? STARTUP_GAIN : WINDOW_GAIN;
    return Math.max(gain * this.#bandwidthDelay, MIN_WINDOW);
  }

  get pacingRate(): number | undefined {
    return this.#rates.length === 0 ? undefined : this.#pacingGain * this.#bandwidth;
  }

  onAck(sample: AckSample): void {
    const { nowMs, roundTripMs, deliveryRate, isApplicationLimited, round } = sample;
    if (this.#timedOut) {
      this.#timeoutWindow += sample.deliveredSegments;
      if (this.#timeoutWindow >= this.#bandwidthDelay) this.#timedOut = false;
    }
    if (deliveryRate !== undefined && (!isApplicationLimited || deliveryRate > this.#bandwidth)) {
      this.#noteRate(round, deliveryRate);
    }
    const isNewRound = round !== this.#lastRound;
    this.#lastRound = round;
    if (isNewRound && !isApplicationLimited && this.#mode === 'startup') this.#watchGrowth();
    this.#moveOn(nowMs, sample.inFlight);
    this.#watchRoundTrip(nowMs, roundTripMs);
  }

  onLoss(): void {
    // Version 1 takes a loss for noise.
  }

  onTimeout(): void {
    this.#timedOut = true;
    this.#timeoutWindow = 1;
  }

  onIdle(): void {
    // Begins again at the rate it knows, paced.
  }

  get #bandwidth(): number {
    return this.#rates.reduce((highest, { rate }) => Math.max(highest, rate), 0);
  }

  get #bandwidthDelay(): number {
    return Number.isFinite(this.#minRttMs) ? this.#bandwidth * this.#minRttMs : INITIAL_WINDOW;
  }

  get #pacingGain(): number {
    if (this.#mode === 'startup') return STARTUP_GAIN;
    if (this.#mode === 'drain') return 1 / STARTUP_GAIN;
    return this.#mode === 'probe-bandwidth' ? (CYCLE[this.#cyclePhase] ?? 1) : 1;
  }

  #noteRate(round: number, rate: number): void {
    const newest = this.#rates.at(-1);
    if (newest?.round === round) newest.rate = Math.max(newest.rate, rate);
    else this.#rates.push({ round, rate });
    while ((this.#rates[0]?.round ?? round) <= round - BANDWIDTH_ROUNDS) this.#rates.shift();
  }

  #watchGrowth(): void {
    if (this.#bandwidth >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = this.#bandwidth;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) this.#mode = 'drain';
  }

  #moveOn(nowMs: number, inFlight: number): void {
    if (this.#mode === 'drain' && inFlight <= this.#bandwidthDelay) this.#beginProbing(nowMs);
    if (this.#mode !== 'probe-bandwidth') return;
    const isOver = nowMs - this.#cycleAtMs >= this.#minRttMs;
    const isDrained = this.#pacingGain < 1 && inFlight <= this.#bandwidthDelay;
    if (!isOver && !isDrained) return;
    this.#cyclePhase = (this.#cyclePhase + 1) % CYCLE.length;
    this.#cycleAtMs = nowMs;
  }

  /** Any phase but the draining one. */
  #beginProbing(nowMs: number): void {
    this.#mode = 'probe-bandwidth';
    const phase = Math.floor(this.#random() * (CYCLE.length - 1));
    this.#cyclePhase = phase === 1 ? CYCLE.length - 1 : phase;
    this.#cycleAtMs = nowMs;
  }

  #watchRoundTrip(nowMs: number, roundTripMs: number | undefined): void {
    const isStale = nowMs - this.#minRttAtMs > MIN_RTT_HOLD_MS;
    if (roundTripMs !== undefined && (roundTripMs <= this.#minRttMs || isStale)) {
      this.#minRttMs = roundTripMs;
      this.#minRttAtMs = nowMs;
    }
    if (isStale && this.#mode === 'probe-bandwidth') {
      this.#mode = 'probe-round-trip';
      this.#probeUntilMs = nowMs + Math.max(PROBE_RTT_MS, this.#minRttMs);
    }
    if (this.#mode === 'probe-round-trip' && nowMs >= (this.#probeUntilMs ?? nowMs)) {
      this.#minRttAtMs = nowMs;
      this.#beginProbing(nowMs);
    }
  }
}
