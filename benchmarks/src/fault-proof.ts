import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProof } from './fault-injection.ts';
import type { FaultTarget } from './fault-target.ts';
import type { Witness } from './fault-witness.ts';

const POLL_MS = 100;
/** The camera's ledger must have passed the instant by this, so that it does not speak of pictures from before, ms. */
const PAST_MS = 300;
/** An interval that ends this far ahead was written under another clock, ms. */
const AHEAD_MS = 2_000;
const API_TIMEOUT_MS = 2_000;

/** Looks at a running product from outside, and says since when it works again. */
export class ProofReader {
  readonly #target: FaultTarget;
  readonly #witness: Witness;

  constructor(target: FaultTarget, witness: Witness) {
    this.#target = target;
    this.#witness = witness;
  }

  /** When all of it worked again after an instant, ms since 1970; undefined where that does not come within the limit. */
  async waitFor(
    proofs: readonly FaultProof[],
    options: { readonly afterMs: number; readonly limitMs: number; readonly signal: AbortSignal },
  ): Promise<number | undefined> {
    const deadline = performance.now() + options.limitMs;
    let latestMs = options.afterMs;
    for (const proof of proofs) {
      for (;;) {
        const atMs = await this.#find(proof, options.afterMs);
        if (atMs !== undefined) {
          latestMs = Math.max(latestMs, atMs);
          break;
        }
        if (performance.now() > deadline) return undefined;
        await sleep(POLL_MS, undefined, { signal: options.signal });
      }
    }
    return latestMs;
  }

  async #find(proof: FaultProof, afterMs: number): Promise<number | undefined> {
    if (proof === 'delivery') return this.#witness.findProof(afterMs);
    return proof === 'sight' ? this.#findSight(afterMs) : this.#findAnswer();
  }

  /** The newest interval of the camera's ledger as the agent leaves it for its successor. */
  #findSight(afterMs: number): number | undefined {
    const { folders, camera } = this.#target;
    const tail = readTail(join(folders.edge, 'state', `${camera}.heartbeat`));
    if (tail === undefined || tail.state === 'blind') return undefined;
    const isOfNow = tail.toMs > afterMs + PAST_MS && tail.toMs < Date.now() + AHEAD_MS;
    return isOfNow ? Math.max(tail.fromMs, afterMs) : undefined;
  }

  /** An answer to a question that only a running API can refuse. */
  async #findAnswer(): Promise<number | undefined> {
    try {
      const url = `${this.#target.apiUrl}/api/v1/session`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(API_TIMEOUT_MS) });
      await answer.arrayBuffer();
      return answer.status < 500 ? Date.now() : undefined;
    } catch {
      // Whatever the reason: it does not answer.
      return undefined;
    }
  }
}

function readTail(file: string): { fromMs: number; toMs: number; state: string } | undefined {
  try {
    const { fromMs, toMs, state } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof fromMs === 'number' && typeof toMs === 'number' && fromMs < toMs
      ? { fromMs, toMs, state }
      : undefined;
  } catch {
    // Not there yet, or being written in this moment.
    return undefined;
  }
}
