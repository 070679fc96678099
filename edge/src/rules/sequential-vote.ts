export interface VoteOptions {
  /** Share of sights that speak for the act where there is none, at most. */
  readonly innocentShare: number;
  /** Share of sights that speak for the act where there is one, at least. */
  readonly guiltyShare: number;
  /** Probability of convicting an innocent road user, at most. */
  readonly alpha: number;
  /** One vote in this time: sights nearer to one another repeat each other, and no frame rate shall count more. ms. */
  readonly spacingMs: number;
}

/**
 * Wald's sequential probability ratio test on sights of one road user (A. Wald, Sequential Tests of Statistical
 * Hypotheses, 1945): each vote moves the log ratio; past ln(1/α) the act is decided. However long one watches, an innocent road user
 * whose votes are independent is convicted with a probability of α at most (Ville's inequality). It never decides for innocence.
 */
export class SequentialVote {
  readonly #options: VoteOptions;
  #ratio = 0;
  #votes = 0;
  #votesFor = 0;
  #lastMs: number | undefined;

  constructor(options: VoteOptions) {
    this.#options = options;
  }

  get votes(): number {
    return this.#votes;
  }

  get votesFor(): number {
    return this.#votesFor;
  }

  get isDecided(): boolean {
    return this.#ratio >= Math.log(1 / this.#options.alpha);
  }

  /** Takes a sight, unless it comes too soon after the one before. @returns whether it was taken */
  add(speaksFor: boolean, atMs: number): boolean {
    const { innocentShare, guiltyShare, spacingMs } = this.#options;
    if (this.#lastMs !== undefined && atMs - this.#lastMs < spacingMs - 1) return false;
    this.#lastMs = atMs;
    this.#votes += 1;
    if (speaksFor) this.#votesFor += 1;
    const step = speaksFor
      ? Math.log(guiltyShare / innocentShare)
      : Math.log((1 - guiltyShare) / (1 - innocentShare));
    this.#ratio += step;
    return true;
  }
}
