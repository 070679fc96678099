/** Remembers per track when a rule fired last; entries of tracks that are gone are dropped by time. */
export class Cooldown {
  readonly #firedAtMs = new Map<number, number>();
  readonly #durationMs: number;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  isCooling(trackId: number, nowMs: number): boolean {
    const firedAtMs = this.#firedAtMs.get(trackId);
    return firedAtMs !== undefined && nowMs - firedAtMs < this.#durationMs;
  }

  start(trackId: number, nowMs: number): void {
    for (const [id, at] of this.#firedAtMs) if (nowMs - at >= this.#durationMs) this.#firedAtMs.delete(id);
    this.#firedAtMs.set(trackId, nowMs);
  }
}
