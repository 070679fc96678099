import { computeArea } from '../geometry/box.ts';
import { type PoolMember, poolBeliefs, type TextBelief, type WeighedText } from './plate-belief.ts';
import { listGrammars, type PlateContext, resolvePlate } from './plate-format.ts';
import { describeCharacters } from './plate-letter.ts';
import type { PlateLayout, PlateLook, PlateReading } from './plate-reading.ts';

/** How sure a reading must be to be used, 0–1. Chosen on drawn plates: see docs/plates.md. */
export const DEFAULT_PLATE_CONFIDENCE = 0.95;

/** From the pooled share to the share of readings that are right: logit ↦ slope · logit + offset, fitted on drawn plates. */
const CALIBRATION = { slope: 1.16, offset: -0.25 };

/** A character that a look did not think of. */
const UNSEEN_CHARACTER_LOG = Math.log(0.002);
/** A text that a look did not think of, and each character by which it differs in length. */
const UNSEEN_TEXT_LOG = Math.log(0.001);
/** Any text where a look saw none: a plate is often not legible in one frame and legible in the next. */
const NOTHING_SEEN_LOG = Math.log(0.2);
/** Frames of one passage resemble one another: n looks count as n to this power. */
const INDEPENDENCE = 0.4;
/** Looks with less than this share of the best look's weight say nothing. */
const MIN_WEIGHT_SHARE = 0.05;
const KEPT_ALTERNATIVES = 4;
const MIN_ALTERNATIVE = 0.002;

/**
 * One reading from all looks at one plate. Each look weighs by its sharpness, size and how plainly it is a plate; texts are pooled by
 * the logarithms of their probabilities, so that looks that contradict one another lower the confidence; formats decide between texts
 * that look alike.
 * @param subject who carries the plate, as far as it is known, and on what day
 */
export function votePlate(
  looks: readonly PlateLook[],
  subject: PlateContext,
  minConfidence: number = DEFAULT_PLATE_CONFIDENCE,
): PlateReading {
  const legible = looks.filter(({ characters, texts = [] }) => characters.length + texts.length > 0);
  if (legible.length === 0) return readNothing(looks);
  const weights = weighLooks(legible);
  const layout = voteLayout(legible, weights);
  const members = legible.map((look, index): PoolMember => {
    return { belief: new LookBelief(look), weight: weights[index] ?? 0 };
  });
  const pooled = poolBeliefs(members, {
    grammars: listGrammars(layout, subject),
    power: weights.reduce((sum, weight) => sum + weight, 0) ** INDEPENDENCE,
    prior: (text) => (text === '' ? 0 : resolvePlate(text, layout, subject).logPrior),
    count: 16,
  });
  const [best] = pooled;
  if (best === undefined || best.text === '') return readNothing(looks);
  const resolved = resolvePlate(best.text, layout, subject);
  const confidence = calibrate(best.share);
  const [format] = resolved.formats;
  const isSure = confidence >= minConfidence && resolved.state !== 'unknown';
  const reason = isSure
    ? resolved.reason
    : resolved.state === 'unknown'
      ? resolved.reason
      : tellDoubt(confidence, minConfidence);
  return {
    state: isSure ? (resolved.state === 'certain' ? 'read' : 'ambiguous') : 'unreadable',
    text: best.text,
    ...(resolved.shown === undefined ? {} : { shown: resolved.shown }),
    confidence,
    characters: describeCharacters(pooled),
    alternatives: pooled
      .slice(1)
      .filter(({ text, share }) => text !== '' && share >= MIN_ALTERNATIVE)
      .slice(0, KEPT_ALTERNATIVES)
      .map(({ text, share }) => ({ text, confidence: Math.min(calibrate(share), 1 - confidence) })),
    ...(format === undefined || resolved.state !== 'certain' ? {} : { format: format.id }),
    ...(reason === undefined ? {} : { reason }),
    looks: looks.length,
  };
}

function readNothing(looks: readonly PlateLook[]): PlateReading {
  const reason = looks.length === 0 ? 'no plate was seen' : 'no character was seen on it';
  return { state: 'unreadable', characters: [], alternatives: [], looks: looks.length, reason };
}

function tellDoubt(confidence: number, least: number): string {
  return `the likeliest text is only ${(confidence * 100).toFixed(0)} % sure; ${(least * 100).toFixed(0)} % are needed`;
}

function calibrate(share: number): number {
  const held = Math.min(1 - 1e-9, Math.max(1e-9, share));
  const logit = Math.log(held / (1 - held));
  return 1 / (1 + Math.exp(-(CALIBRATION.slope * logit + CALIBRATION.offset)));
}

/** The best look weighs 1. */
function weighLooks(looks: readonly PlateLook[]): number[] {
  const raw = looks.map(
    (look) =>
      Math.max(1e-3, look.sharpness) *
      Math.sqrt(Math.max(1, computeArea(look.box))) *
      Math.max(0.05, look.plateConfidence),
  );
  const most = raw.reduce((a, b) => Math.max(a, b));
  return raw.map((weight) => (weight / most < MIN_WEIGHT_SHARE ? 0 : weight / most));
}

function voteLayout(looks: readonly PlateLook[], weights: readonly number[]): PlateLayout {
  let balance = 0;
  for (const [index, { layout, characters }] of looks.entries())
    if (characters.length > 0) balance += (layout === 'two-line' ? 1 : -1) * (weights[index] ?? 0);
  return balance > 0 ? 'two-line' : 'one-line';
}

/** What a look tells of a text: its own probability where the look thought of it, else that of its characters. */
class LookBelief implements TextBelief {
  readonly #look: PlateLook;
  readonly #texts: ReadonlyMap<string, number>;

  constructor(look: PlateLook) {
    this.#look = look;
    this.#texts = new Map((look.texts ?? []).map(({ text, confidence }) => [text, confidence]));
  }

  propose(count: number): readonly WeighedText[] {
    let open: WeighedText[] = [{ text: '', log: 0 }];
    for (const { character, confidence, alternatives } of this.#look.characters) {
      open = open
        .flatMap(({ text, log }) =>
          [{ character, confidence }, ...alternatives].map((choice) => ({
            text: text + choice.character,
            log: log + Math.log(Math.max(1e-6, choice.confidence)),
          })),
        )
        .sort((a, b) => b.log - a.log)
        .slice(0, count);
    }
    const known = [...this.#texts].map(([text, share]) => ({ text, log: Math.log(Math.max(1e-6, share)) }));
    if (this.#look.characters.length === 0) open = [];
    return [...known, ...open].sort((a, b) => b.log - a.log);
  }

  proposeWithin(places: readonly string[]): WeighedText | undefined {
    const { characters } = this.#look;
    if (places.length !== characters.length) return undefined;
    let text = '';
    for (const [place, set] of places.entries()) {
      const { character, alternatives } = characters[place] ?? { character: '', alternatives: [] };
      const fitting = [character, ...alternatives.map((choice) => choice.character)].find((c) =>
        set.includes(c),
      );
      if (fitting === undefined) return undefined;
      text += fitting;
    }
    return { text, log: this.weigh(text) };
  }

  weigh(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return Math.log(Math.max(1e-6, known));
    const { characters } = this.#look;
    if (characters.length === 0) return NOTHING_SEEN_LOG;
    if (text === '') return UNSEEN_TEXT_LOG;
    if (text.length !== characters.length)
      return UNSEEN_TEXT_LOG + UNSEEN_CHARACTER_LOG * Math.abs(text.length - characters.length);
    let log = 0;
    for (const [place, { character, confidence, alternatives }] of characters.entries()) {
      const choice = [{ character, confidence }, ...alternatives].find((c) => c.character === text[place]);
      log += choice === undefined ? UNSEEN_CHARACTER_LOG : Math.log(Math.max(1e-6, choice.confidence));
    }
    return log;
  }
}
