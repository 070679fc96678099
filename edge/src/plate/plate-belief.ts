/** What stands in a place where no character is. */
export const BLANK = '_';
/** Characters of a place, in the order of the readers' outputs. */
export const PLATE_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_';
const COUNT = PLATE_ALPHABET.length;
const BLANK_INDEX = COUNT - 1;

/** What one reader believes of a picture: it proposes texts and weighs those that others propose. */
export interface TextBelief {
  /** The likeliest texts with the logarithm of their probability, likeliest first. */
  propose(count: number): readonly WeighedText[];
  /** The likeliest text of a grammar (what may stand at each place), if it has one of that length. */
  proposeWithin(places: readonly string[]): WeighedText | undefined;
  /** Logarithm of the probability of a text. */
  weigh(text: string): number;
}

export interface WeighedText {
  readonly text: string;
  readonly log: number;
}

/** No reader is so sure that it could outvote all others: this share of its belief is spread over everything. */
const DOUBT = 0.004;
/** Characters that are followed at each place of a beam. */
const BRANCHES = 4;

/** One character a slot, from the left; slots behind the last character are blank. */
export class SlotBelief implements TextBelief {
  /** `slots × 37` logarithms. */
  readonly #logs: Float64Array;
  readonly #slots: number;

  /** @param probabilities `slots × 37`, each slot adding up to 1; copied */
  constructor(probabilities: ArrayLike<number>) {
    this.#slots = Math.floor(probabilities.length / COUNT);
    this.#logs = new Float64Array(this.#slots * COUNT);
    for (let at = 0; at < this.#logs.length; at++) {
      const share = Math.min(1, Math.max(0, probabilities[at] ?? 0));
      this.#logs[at] = Math.log((Number.isFinite(share) ? share : 0) * (1 - DOUBT) + DOUBT / COUNT);
    }
  }

  propose(count: number): readonly WeighedText[] {
    let open: WeighedText[] = [{ text: '', log: 0 }];
    const ended: WeighedText[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      const next: WeighedText[] = [];
      const likely = this.#likeliest(slot);
      const restBlank = this.#blanksFrom(slot);
      for (const { text, log } of open) {
        ended.push({ text, log: log + restBlank });
        for (const index of likely)
          next.push({ text: text + PLATE_ALPHABET[index], log: log + this.#at(slot, index) });
      }
      open = next.sort((a, b) => b.log - a.log).slice(0, Math.max(count, 8));
    }
    return [...ended, ...open]
      .filter(({ text }) => text !== '')
      .sort((a, b) => b.log - a.log)
      .slice(0, count);
  }

  proposeWithin(places: readonly string[]): WeighedText | undefined {
    if (places.length > this.#slots) return undefined;
    let text = '';
    for (const [slot, set] of places.entries()) {
      let best = set[0] ?? BLANK;
      for (const character of set) if (this.#of(slot, character) > this.#of(slot, best)) best = character;
      text += best;
    }
    return { text, log: this.weigh(text) };
  }

  weigh(text: string): number {
    let log = this.#blanksFrom(text.length);
    for (let slot = 0; slot < text.length; slot++)
      log += slot < this.#slots ? this.#of(slot, text[slot] ?? BLANK) : Math.log(DOUBT / COUNT);
    return log;
  }

  #likeliest(slot: number): number[] {
    const indices = Array.from({ length: BLANK_INDEX }, (_, index) => index);
    return indices.sort((a, b) => this.#at(slot, b) - this.#at(slot, a)).slice(0, BRANCHES);
  }

  #blanksFrom(slot: number): number {
    let log = 0;
    for (let at = slot; at < this.#slots; at++) log += this.#at(at, BLANK_INDEX);
    return log;
  }

  #of(slot: number, character: string): number {
    const index = PLATE_ALPHABET.indexOf(character);
    return index < 0 ? Math.log(DOUBT / COUNT) : this.#at(slot, index);
  }

  #at(slot: number, index: number): number {
    return this.#logs[slot * COUNT + index] ?? Math.log(DOUBT / COUNT);
  }
}

export interface PooledText {
  readonly text: string;
  /** Share of the pooled belief among all candidates, 0–1, before calibration. */
  readonly share: number;
  readonly log: number;
}

export interface PoolMember {
  readonly belief: TextBelief;
  /** Relative trust; only ratios matter. */
  readonly weight: number;
}

/**
 * Pools what several readers, views or frames believe: the weighted mean of their log-probabilities (a logarithmic opinion pool: C. Genest,
 * J. Zidek, Statistical Science 1, 1986), sharpened by `power`, over all texts that any of them or any grammar proposes, and the empty one: that
 * there is nothing to read.
 * @param prior logarithm of how likely a text is before any picture
 * @param power how many independent looks the members amount to
 */
export function poolBeliefs(
  members: readonly PoolMember[],
  options: {
    readonly grammars: readonly (readonly string[])[];
    readonly power: number;
    readonly prior: (text: string) => number;
    readonly count: number;
  },
): readonly PooledText[] {
  const texts = new Set(['']);
  for (const { belief } of members) {
    for (const { text } of belief.propose(options.count)) texts.add(text);
    for (const places of options.grammars) {
      const proposed = belief.proposeWithin(places);
      if (proposed !== undefined) texts.add(proposed.text);
    }
  }
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return [];
  const weighed = [...texts].map((text) => {
    const mean = members.reduce((sum, { belief, weight }) => sum + weight * belief.weigh(text), 0) / total;
    return { text, log: mean * options.power + options.prior(text) };
  });
  const most = weighed.reduce((least, { log }) => Math.max(least, log), Number.NEGATIVE_INFINITY);
  const sum = weighed.reduce((all, { log }) => all + Math.exp(log - most), 0);
  return weighed
    .map(({ text, log }) => ({ text, log, share: Math.exp(log - most) / sum }))
    .sort((a, b) => b.share - a.share || (a.text < b.text ? -1 : 1));
}
