import type { FactCertainty } from '@ngatu/contract';
import type { PlateLayout, PlateSubject } from './plate-reading.ts';

/** Where a fact on plates comes from. V read at the primary source, S from a secondary one, U general knowledge. */
export interface PlateFactSource {
  readonly source: string;
  readonly certainty: FactCertainty;
}

/**
 * How one kind of plate is written. In `pattern` every character stands for a set: `c` `c` the two figures of the place, `L` a letter of a
 * series, `M` a second letter of a series, `m` a letter of a military series, `n` 0–9, `d` 1–9; all others stand for themselves (Đ as D).
 * `shown` is the same with its separators, a line break as a blank.
 */
export interface PlateFormat extends PlateFactSource {
  readonly id: string;
  readonly pattern: string;
  readonly shown: string;
  readonly layouts: readonly PlateLayout[];
  readonly classes: readonly PlateSubject['class'][];
  /** Issued from this day on, where it is known; older plates stay valid. */
  readonly from?: string;
  /** How common it is on the road, as the logarithm of a rough share: it decides only between texts that look alike. */
  readonly logShare: number;
  /** Series that this format leaves to another one. */
  readonly exceptSeries?: string;
}

/** Letters of series; I, J, O, Q and W are never used. */
const SERIES_LETTERS = 'ABCDEFGHKLMNPRSTUVXYZ';
const SECOND_LETTERS = 'ABCDEFHKLMNPRSTUVXYZ';
const MILITARY_LETTERS = 'ABCDEFGHKLMNPQRSTUVX';

/** Codes of places that were never given out. */
export const UNUSED_CODES: PlateFactSource & { readonly codes: readonly string[] } = {
  codes: ['13', '42', '44', '45', '46', '87', '91', '96'],
  source:
    'Circular 79/2024/TT-BCA, annex of place codes; codes from before the merger of provinces stay valid',
  certainty: 'S',
};

/** What the colour of the ground says. The product does not read it yet. */
export const PLATE_GROUNDS: readonly (PlateFactSource & {
  readonly ground: string;
  readonly meaning: string;
})[] = [
  { ground: 'white', meaning: 'private persons and companies', source: 'Circular 79/2024', certainty: 'S' },
  { ground: 'yellow', meaning: 'commercial transport', source: 'Circular 79/2024', certainty: 'S' },
  { ground: 'blue', meaning: 'state and party bodies, police', source: 'Circular 79/2024', certainty: 'S' },
  { ground: 'red', meaning: 'military', source: 'Ministry of Defence rules', certainty: 'U' },
];

const STANDARD: PlateFactSource = { source: 'QCVN 08:2024/BCA, Circular 79/2024/TT-BCA', certainty: 'S' };
const ON_THE_ROAD: PlateFactSource = { source: 'plates seen on the road', certainty: 'U' };
const CARS = ['car', 'bus', 'truck'] as const;
const BIKES = ['motorbike', 'bicycle'] as const;
const BOTH = ['one-line', 'two-line'] as const;
const TWO = ['two-line'] as const;

/** Series of two letters that stand for who owns or what it is; cars and trucks. */
const SPECIAL_SERIES = ['LD', 'DA', 'KT', 'HC', 'TD', 'MK', 'CD', 'RM'] as const;
const DIPLOMATIC_SERIES = ['NG', 'QT', 'CV', 'NN'] as const;
/** Series that are written with Đ. */
const CROSSED_SERIES: ReadonlySet<string> = new Set(['TD']);

/** Every kind of plate that is known, the common ones first. */
export const PLATE_FORMATS: readonly PlateFormat[] = [
  {
    ...{ id: 'car', pattern: 'ccLnnnnn', shown: 'ccL-nnn.nn', layouts: BOTH, classes: CARS, logShare: -0.7 },
    ...{ ...STANDARD, from: '2010-12-01' },
  },
  {
    ...{ id: 'car-four-figures', pattern: 'ccLnnnn', shown: 'ccL-nnnn', layouts: BOTH, classes: CARS },
    ...{ logShare: -2.3, ...STANDARD },
  },
  {
    ...{ id: 'motorbike', pattern: 'ccLdnnnnn', shown: 'cc-Ld nnn.nn', layouts: TWO, classes: BIKES },
    ...{ logShare: -0.7, ...STANDARD, from: '2010-12-01' },
  },
  {
    ...{ id: 'motorbike-four-figures', pattern: 'ccLdnnnn', shown: 'cc-Ld nnnn', layouts: TWO },
    ...{ classes: BIKES, logShare: -1.2, ...STANDARD },
  },
  {
    ...{ id: 'motorbike-two-letters', pattern: 'ccLMnnnnn', shown: 'cc-LM nnn.nn', layouts: TWO },
    ...{ classes: BIKES, logShare: -1.6, ...STANDARD, exceptSeries: 'MD' },
  },
  {
    ...{ id: 'electric-motorbike', pattern: 'ccMDdnnnnn', shown: 'cc-MĐd nnn.nn', layouts: TWO },
    ...{ classes: BIKES, logShare: -2, ...ON_THE_ROAD },
  },
  ...SPECIAL_SERIES.flatMap((series): PlateFormat[] => {
    const written = CROSSED_SERIES.has(series) ? series.replace('D', 'Đ') : series;
    const common = { layouts: BOTH, classes: CARS, ...STANDARD };
    return [
      {
        id: `special-${series}`,
        pattern: `cc${series}nnnnn`,
        shown: `cc${written}-nnn.nn`,
        ...common,
        logShare: -4,
      },
      {
        id: `special-${series}-four-figures`,
        pattern: `cc${series}nnnn`,
        shown: `cc${written}-nnnn`,
        ...common,
        logShare: -5,
      },
    ];
  }),
  ...DIPLOMATIC_SERIES.map((series): PlateFormat => {
    const [pattern, shown] = [`ccnnn${series}nn`, `cc-nnn-${series}-nn`];
    return {
      id: `foreign-${series}`,
      pattern,
      shown,
      layouts: BOTH,
      classes: [...CARS, ...BIKES],
      logShare: -6,
      ...STANDARD,
    };
  }),
  {
    ...{ id: 'military', pattern: 'mmnnnn', shown: 'mm-nn-nn', layouts: BOTH, classes: [...CARS, ...BIKES] },
    ...{ logShare: -5, source: 'Ministry of Defence rules', certainty: 'U' },
  },
];

const FIGURES = '0123456789';
const SETS: Readonly<Record<string, string>> = {
  c: FIGURES,
  L: SERIES_LETTERS,
  M: SECOND_LETTERS,
  m: MILITARY_LETTERS,
  n: FIGURES,
  d: '123456789',
};

/** The characters that may stand at each place of a format. In a pattern `M` before `D` is the series MĐ and not a set. */
export function listPlaces(format: PlateFormat): readonly string[] {
  const literal = /(?:LD|DA|KT|HC|TD|MK|CD|RM|MD|NG|QT|CV|NN)/.exec(format.pattern);
  return [...format.pattern].map((letter, place) => {
    const isLiteral = literal !== null && place >= literal.index && place < literal.index + literal[0].length;
    return isLiteral ? letter : (SETS[letter] ?? letter);
  });
}

/** `30A12345` in the format `ccL-nnn.nn` → `30A-123.45`. The text must have the format's length. */
export function showPlate(text: string, format: PlateFormat): string {
  let at = 0;
  return [...format.shown]
    .map((letter) => {
      if (letter === '-' || letter === '.' || letter === ' ') return letter;
      const character = text[at++] ?? '';
      return letter === 'Đ' ? 'Đ' : character;
    })
    .join('');
}
