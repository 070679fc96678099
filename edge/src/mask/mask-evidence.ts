import type { MaskDoubt, MaskVerdict } from '@ngatu/contract';
import type { FaceQuality } from './face-quality.ts';

/** One look at a face. */
export interface FaceLook {
  readonly atMs: number;
  readonly maskLogit: number;
  readonly quality: Pick<FaceQuality, 'sizePx' | 'sharpness' | 'turn'>;
  /** Of the pixels of the face: a picture that comes again adds nothing. */
  readonly fingerprint: number;
}

/** What is said about a person, and how sure. */
export interface MaskJudgement {
  readonly verdict: MaskVerdict;
  /** Why the verdict is `uncertain`. */
  readonly doubt?: MaskDoubt;
  /** Weighted mean of the log-odds for a mask over the looks that count; absent where none did. */
  readonly meanLogit?: number;
  /** Looks that count: apart in time, and of different pictures. */
  readonly looks: number;
}

/** Looks nearer to each other than this are one: neighbouring frames make the same mistake, ms. */
const SPACING_MS = 200;
/** A person is judged by so many looks at least. */
const MIN_LOOKS = 2;
/** A mean of less than this is no verdict: odds of 2.7 to 1. */
const MIN_MEAN_LOGIT = 1;
/** Of the weight of all looks so much must be on the side of the verdict. */
const MIN_AGREEMENT = 0.7;
/** One look says no more than this, however sure the network is: odds of 20 to 1. */
const MAX_LOOK_LOGIT = 3;
/** A face of this size has the full weight, px. */
const FULL_SIZE_PX = 32;
const FULL_SHARPNESS = 0.3;
/** Kept for one person at most; then the least telling go. */
const MAX_LOOKS = 64;

interface CountedLook {
  readonly slot: number;
  readonly weight: number;
  readonly logit: number;
  readonly fingerprint: number;
}

/**
 * Gathers the looks at one person. The verdict is a weighted mean of log-odds, one look for each 200 ms (the best one): it neither
 * grows with the frame rate nor with the time that somebody stands there, and stays what it is where frames repeat.
 */
export class MaskEvidence {
  #looks: CountedLook[] = [];
  readonly #doubts = new Map<MaskDoubt, number>();

  /** How many looks count so far. */
  get looks(): number {
    return this.#looks.length;
  }

  /** Whether a look at this time could count beside those before. */
  isDue(atMs: number): boolean {
    return this.#looks.every(({ slot }) => slot !== Math.floor(atMs / SPACING_MS));
  }

  /** A look that told nothing. */
  addDoubt(doubt: MaskDoubt): void {
    this.#doubts.set(doubt, (this.#doubts.get(doubt) ?? 0) + 1);
  }

  add({ atMs, maskLogit, quality, fingerprint }: FaceLook): void {
    if (this.#looks.some((look) => look.fingerprint === fingerprint)) return;
    const look: CountedLook = {
      slot: Math.floor(atMs / SPACING_MS),
      weight: computeWeight(quality),
      logit: Math.max(-MAX_LOOK_LOGIT, Math.min(MAX_LOOK_LOGIT, maskLogit)),
      fingerprint,
    };
    const same = this.#looks.findIndex(({ slot }) => slot === look.slot);
    const before = this.#looks[same];
    if (before === undefined) this.#looks.push(look);
    else if (before.weight < look.weight) this.#looks[same] = look;
    if (this.#looks.length > MAX_LOOKS) this.#dropLeast();
  }

  judge(): MaskJudgement {
    const looks = this.#looks.length;
    if (looks === 0) return { verdict: 'uncertain', doubt: this.#mostFrequentDoubt(), looks };
    const total = this.#looks.reduce((sum, { weight }) => sum + weight, 0);
    const meanLogit = this.#looks.reduce((sum, { weight, logit }) => sum + weight * logit, 0) / total;
    if (looks < MIN_LOOKS) return { verdict: 'uncertain', doubt: 'too-few-frames', meanLogit, looks };
    const side = Math.sign(meanLogit);
    const agreeing = this.#looks.reduce(
      (sum, look) => sum + (Math.sign(look.logit) === side ? look.weight : 0),
      0,
    );
    if (agreeing < MIN_AGREEMENT * total)
      return { verdict: 'uncertain', doubt: 'frames-disagree', meanLogit, looks };
    if (Math.abs(meanLogit) < MIN_MEAN_LOGIT)
      return { verdict: 'uncertain', doubt: 'unclear', meanLogit, looks };
    return { verdict: meanLogit > 0 ? 'with' : 'without', meanLogit, looks };
  }

  #dropLeast(): void {
    const least = this.#looks.reduce((a, b) => (b.weight < a.weight ? b : a));
    this.#looks = this.#looks.filter((look) => look !== least);
  }

  #mostFrequentDoubt(): MaskDoubt {
    let best: MaskDoubt = 'too-few-frames';
    let most = 0;
    for (const [doubt, count] of this.#doubts) {
      if (count <= most) continue;
      most = count;
      best = doubt;
    }
    return best;
  }
}

function computeWeight({ sizePx, sharpness, turn = 0 }: FaceLook['quality']): number {
  const size = Math.min(1, sizePx / FULL_SIZE_PX);
  return size * Math.min(1, sharpness / FULL_SHARPNESS) * Math.max(0.2, 1 - turn / 2);
}
