import { listPlaces, PLATE_FORMATS, type PlateFormat, showPlate, UNUSED_CODES } from './plate-format-data.ts';
import type { PlateLayout, PlateSubject } from './plate-reading.ts';

/** What is known of who carries the plate: less may be known than of a subject. */
export type PlateContext = Partial<Pick<PlateSubject, 'class'>> & Pick<PlateSubject, 'on'>;

export interface ResolvedPlate {
  /** `certain`: one format. `ambiguous`: several, and neither class nor lines decide. `unknown`: none. */
  readonly state: 'certain' | 'ambiguous' | 'unknown';
  /** The formats that it may be, likeliest first. */
  readonly formats: readonly PlateFormat[];
  /** As written, where that is certain. */
  readonly shown?: string;
  readonly reason?: string;
  /** Logarithm of how likely such a plate is before a picture is looked at: higher is likelier. */
  readonly logPrior: number;
}

interface OpenFormat {
  readonly format: PlateFormat;
  readonly places: readonly string[];
  readonly startsWithCode: boolean;
}

const OPEN_FORMATS: readonly OpenFormat[] = PLATE_FORMATS.map((format) => ({
  format,
  places: listPlaces(format),
  startsWithCode: format.pattern.startsWith('cc'),
}));
const UNUSED = new Set(UNUSED_CODES.codes);

/** A text of no known format is this much less likely than a rare one: pictures can still outweigh it. */
const UNKNOWN_LOG_PRIOR = -9;
const UNUSED_CODE_LOG = -4;
/** A bike's plate on a car or a one-line plate on a bike: somebody else's plate, or a wrong class. */
const WRONG_CLASS_LOG = -3;
const WRONG_LAYOUT_LOG = -3;
/** Below this difference two formats stay ambiguous. */
const DECISIVE_LOG = 2.5;

/**
 * Says in which format a text is written. `30A12345` is `30A-123.45` on a car and `30-A1 2345` on a motorbike: the class and the number of
 * lines decide, else it stays ambiguous.
 * @param text canonical: no separators, Đ as D
 */
export function resolvePlate(
  text: string,
  layout: PlateLayout | undefined,
  context: PlateContext,
): ResolvedPlate {
  const ranked = OPEN_FORMATS.filter((open) => isWrittenSo(text, open) && isIssued(open.format, context.on))
    .map((open) => ({ format: open.format, log: weigh(text, open, layout, context) }))
    .sort((a, b) => b.log - a.log);
  const [best, next] = ranked;
  if (best === undefined)
    return {
      state: 'unknown',
      formats: [],
      logPrior: UNKNOWN_LOG_PRIOR,
      reason: 'no known format is written so',
    };
  const formats = ranked.map(({ format }) => format);
  const logPrior = best.log;
  const contradiction = contradict(best.format, layout, context);
  if (contradiction !== undefined) return { state: 'ambiguous', formats, logPrior, reason: contradiction };
  const shown = showPlate(text, best.format);
  const isDecided =
    next === undefined || best.log - next.log >= DECISIVE_LOG || shown === showPlate(text, next.format);
  if (isDecided) return { state: 'certain', formats, shown, logPrior };
  const reason = `it may be ${shown} or ${showPlate(text, next.format)}`;
  return { state: 'ambiguous', formats, logPrior, reason };
}

/** For each format that may stand on such a plate, what may stand at each of its places. */
export function listGrammars(
  layout: PlateLayout | undefined,
  context: PlateContext | undefined,
): readonly (readonly string[])[] {
  return OPEN_FORMATS.filter(
    ({ format }) =>
      (context === undefined || isIssued(format, context.on)) &&
      (layout === undefined || format.layouts.includes(layout)),
  ).map(({ places }) => places);
}

function isWrittenSo(text: string, { format, places }: OpenFormat): boolean {
  if (format.exceptSeries !== undefined && text.startsWith(format.exceptSeries, 2)) return false;
  return text.length === places.length && places.every((set, at) => set.includes(text[at] ?? '_'));
}

function isIssued({ from }: PlateFormat, on: Date): boolean {
  return from === undefined || Date.parse(from) <= on.getTime();
}

function weigh(
  text: string,
  { format, startsWithCode }: OpenFormat,
  layout: PlateLayout | undefined,
  context: PlateContext,
): number {
  const code = text.slice(0, 2);
  let log = format.logShare;
  if (startsWithCode && (UNUSED.has(code) || Number(code) < 11)) log += UNUSED_CODE_LOG;
  if (layout !== undefined && !format.layouts.includes(layout)) log += WRONG_LAYOUT_LOG;
  if (context.class !== undefined && !format.classes.includes(context.class)) log += WRONG_CLASS_LOG;
  return log;
}

function contradict(
  format: PlateFormat,
  layout: PlateLayout | undefined,
  context: PlateContext,
): string | undefined {
  if (context.class !== undefined && !format.classes.includes(context.class))
    return `such a plate is not for a ${context.class}`;
  if (layout !== undefined && !format.layouts.includes(layout))
    return `such a plate has not ${layout} writing`;
  return undefined;
}
