import { PLATE_ALPHABET, type TextBelief, type WeighedText } from './plate-belief.ts';

const COUNT = PLATE_ALPHABET.length;
/** Index of "no character here" in a step: the blank of the network and everything that no plate has. */
const NONE = COUNT - 1;
/** As in `plate-belief.ts`: no reader outvotes all others. */
const DOUBT = 0.002;
const BEAM = 6;
/** Characters of a step that a beam follows. */
const MIN_BRANCH_LOG = Math.log(0.002);

function addLogs(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}

interface Prefix {
  readonly text: string;
  /** Logarithms of the paths that end with none, and of those that end with the last character. */
  none: number;
  character: number;
}

/**
 * A line of characters by connectionist temporal classification (A. Graves and others, ICML 2006): a path of steps, of which repeats
 * and empty steps fall away. Separators count as empty.
 */
export class CtcLine {
  readonly #logs: Float64Array;
  readonly #steps: number;
  /** Characters of each step that are worth following. */
  readonly #likely: readonly (readonly number[])[];
  /** Formats share most of their lines: what was asked before is not computed again. */
  readonly #weighed = new Map<string, number>();
  readonly #searched = new Map<string, readonly WeighedText[]>();

  /** @param probabilities `steps × 37`: the characters of the alphabet, and none; copied */
  constructor(probabilities: ArrayLike<number>) {
    this.#steps = Math.floor(probabilities.length / COUNT);
    this.#logs = new Float64Array(this.#steps * COUNT);
    for (let at = 0; at < this.#logs.length; at++) {
      const share = probabilities[at] ?? 0;
      this.#logs[at] = Math.log((share > 0 && share <= 1 ? share : 0) * (1 - DOUBT) + DOUBT / COUNT);
    }
    this.#likely = Array.from({ length: this.#steps }, (_, step) =>
      Array.from({ length: NONE }, (_none, index) => index).filter(
        (index) => this.#at(step, index) >= MIN_BRANCH_LOG,
      ),
    );
  }

  /** Logarithm of the probability of a text: the forward pass over the text with an empty place between all characters. */
  weigh(text: string): number {
    const known = this.#weighed.get(text);
    if (known !== undefined) return known;
    const log = this.#computeWeight(text);
    this.#weighed.set(text, log);
    return log;
  }

  #computeWeight(text: string): number {
    const states = 2 * text.length + 1;
    let row = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
    const classes = Array.from({ length: states }, (_, state) =>
      state % 2 === 0 ? NONE : PLATE_ALPHABET.indexOf(text[(state - 1) / 2] ?? ''),
    );
    for (let step = 0; step < this.#steps; step++) {
      const next = new Float64Array(states);
      for (let state = 0; state < states; state++) {
        let from = step === 0 ? (state < 2 ? 0 : Number.NEGATIVE_INFINITY) : (row[state] as number);
        if (step > 0 && state > 0) from = addLogs(from, row[state - 1] as number);
        if (step > 0 && state > 2 && state % 2 === 1 && classes[state] !== classes[state - 2])
          from = addLogs(from, row[state - 2] as number);
        next[state] = from + this.#at(step, classes[state] ?? NONE);
      }
      row = next;
    }
    return addLogs(row[states - 1] ?? 0, states > 1 ? (row[states - 2] as number) : Number.NEGATIVE_INFINITY);
  }

  /**
   * The likeliest texts by prefix beam search.
   * @param places what may stand at each place; every text then has that many characters
   */
  search(count: number, places?: readonly string[]): readonly WeighedText[] {
    const key = `${count} ${places?.join(' ') ?? '*'}`;
    const known = this.#searched.get(key);
    if (known !== undefined) return known;
    const found = this.#computeSearch(count, places);
    this.#searched.set(key, found);
    return found;
  }

  #computeSearch(count: number, places: readonly string[] | undefined): WeighedText[] {
    let prefixes: Prefix[] = [{ text: '', none: 0, character: Number.NEGATIVE_INFINITY }];
    for (let step = 0; step < this.#steps; step++) {
      const next = new Map<string, Prefix>();
      for (const prefix of prefixes) this.#extend(prefix, step, places, next);
      prefixes = [...next.values()]
        .sort((a, b) => addLogs(b.none, b.character) - addLogs(a.none, a.character))
        .slice(0, BEAM + count);
    }
    return prefixes
      .filter(({ text }) => places === undefined || text.length === places.length)
      .map(({ text, none, character }) => ({ text, log: addLogs(none, character) }))
      .slice(0, count);
  }

  #extend(
    prefix: Prefix,
    step: number,
    places: readonly string[] | undefined,
    next: Map<string, Prefix>,
  ): void {
    const { text, none, character } = prefix;
    const all = addLogs(none, character);
    const get = (key: string): Prefix => {
      const known = next.get(key);
      if (known !== undefined) return known;
      const made = { text: key, none: Number.NEGATIVE_INFINITY, character: Number.NEGATIVE_INFINITY };
      next.set(key, made);
      return made;
    };
    const same = get(text);
    same.none = addLogs(same.none, all + this.#at(step, NONE));
    const last = text.at(-1);
    if (last !== undefined)
      same.character = addLogs(same.character, character + this.#at(step, PLATE_ALPHABET.indexOf(last)));
    const allowed = places === undefined ? undefined : (places[text.length] ?? '');
    for (const index of this.#likely[step] ?? []) {
      const log = this.#at(step, index);
      const added = PLATE_ALPHABET[index] ?? '';
      if (allowed?.includes(added) === false) continue;
      const longer = get(text + added);
      longer.character = addLogs(longer.character, (added === last ? none : all) + log);
    }
  }

  #at(step: number, index: number): number {
    return this.#logs[step * COUNT + index] ?? 0;
  }
}

/** What a reader of lines believes of a plate of one line or of two, of which it does not know where the upper one ends. */
export class LinesBelief implements TextBelief {
  readonly #lines: readonly CtcLine[];

  /** @param lines one or two, the upper one first */
  constructor(lines: readonly CtcLine[]) {
    this.#lines = lines;
  }

  propose(count: number): readonly WeighedText[] {
    const [upper, lower] = this.#lines;
    const above = upper?.search(count) ?? [];
    if (lower === undefined) return above.filter(({ text }) => text !== '');
    return above
      .flatMap((a) => lower.search(count).map((b) => ({ text: a.text + b.text, log: a.log + b.log })))
      .filter(({ text }) => text !== '')
      .sort((a, b) => b.log - a.log)
      .slice(0, count);
  }

  proposeWithin(places: readonly string[]): WeighedText | undefined {
    const [upper, lower] = this.#lines;
    if (upper === undefined) return undefined;
    if (lower === undefined) return upper.search(1, places)[0];
    let best: WeighedText | undefined;
    for (const cut of listCuts(places.length)) {
      const above = upper.search(1, places.slice(0, cut))[0];
      const below = above === undefined ? undefined : lower.search(1, places.slice(cut))[0];
      if (above === undefined || below === undefined) continue;
      const log = above.log + below.log;
      if (best === undefined || log > best.log) best = { text: above.text + below.text, log };
    }
    return best;
  }

  weigh(text: string): number {
    const [upper, lower] = this.#lines;
    if (upper === undefined) return 0;
    if (lower === undefined) return upper.weigh(text);
    const cuts = listCuts(text.length);
    if (cuts.length === 0) return upper.weigh(text) + lower.weigh('');
    return cuts.reduce(
      (best, cut) => Math.max(best, upper.weigh(text.slice(0, cut)) + lower.weigh(text.slice(cut))),
      Number.NEGATIVE_INFINITY,
    );
  }
}

/** How many characters the upper line of a plate may have. */
function listCuts(length: number): number[] {
  return [2, 3, 4, 5].filter((cut) => cut < length);
}
