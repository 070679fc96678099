import type { GateService, GateTime, ScreeningRefusal } from '@ngatu/contract';

/** What the time of a gate was spent with. Times are of one clock that never goes back, ms. */
export class GateLedger {
  readonly #spent = new Map<string, { service: GateService; reason?: ScreeningRefusal; ms: number }>();
  #now: { service: GateService; reason?: ScreeningRefusal };
  #sinceMs: number;

  constructor(service: GateService, reason: ScreeningRefusal | undefined, atMs: number) {
    this.#now = { service, ...(reason === undefined ? {} : { reason }) };
    this.#sinceMs = atMs;
  }

  /** From `atMs` on this holds. Serving has no reason: what a person is told is no fault of the gate. */
  enter(service: GateService, reason: ScreeningRefusal | undefined, atMs: number): void {
    this.#count(atMs);
    this.#now = { service, ...(reason === undefined || service === 'serving' ? {} : { reason }) };
  }

  /** The time since the last taking, whole milliseconds. */
  take(atMs: number): GateTime[] {
    this.#count(atMs);
    const times = [...this.#spent.values()].map(({ ms, ...spent }) => ({ ...spent, ms: Math.round(ms) }));
    this.#spent.clear();
    return times;
  }

  #count(atMs: number): void {
    const ms = Math.max(0, atMs - this.#sinceMs);
    this.#sinceMs = atMs;
    const key = `${this.#now.service} ${this.#now.reason ?? ''}`;
    const spent = this.#spent.get(key);
    if (spent === undefined) this.#spent.set(key, { ...this.#now, ms });
    else spent.ms += ms;
  }
}
