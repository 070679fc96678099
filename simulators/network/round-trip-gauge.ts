/** RFC 6298, with the least timeout that Linux uses (TCP_RTO_MIN) and 1 s before the first measurement. */
const MIN_TIMEOUT_MS = 200;
const FIRST_TIMEOUT_MS = 1_000;
const MAX_TIMEOUT_MS = 120_000;

/** Round trip time of a connection and the retransmission timeout that follows from it, ms. */
export class RoundTripGauge {
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #backoff = 0;

  get smoothedMs(): number | undefined {
    return this.#smoothedMs;
  }

  get minMs(): number {
    return this.#minMs;
  }

  get timeoutMs(): number {
    const base =
      this.#smoothedMs === undefined
        ? FIRST_TIMEOUT_MS
        : this.#smoothedMs + Math.max(MIN_TIMEOUT_MS, 4 * this.#variationMs);
    return Math.min(base * 2 ** this.#backoff, MAX_TIMEOUT_MS);
  }

  measure(roundTripMs: number): void {
    this.#minMs = Math.min(this.#minMs, roundTripMs);
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = roundTripMs;
      this.#variationMs = roundTripMs / 2;
    } else {
      this.#variationMs = 0.75 * this.#variationMs + 0.25 * Math.abs(this.#smoothedMs - roundTripMs);
      this.#smoothedMs = 0.875 * this.#smoothedMs + 0.125 * roundTripMs;
    }
  }

  noteTimeout(): void {
    this.#backoff = Math.min(this.#backoff + 1, 16);
  }

  noteProgress(): void {
    this.#backoff = 0;
  }
}
