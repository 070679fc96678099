import type { TSchema } from '@sinclair/typebox';

/** Words for the patterns of the contract: the first that a string schema takes is used. */
const WORDS = [
  'junction-1',
  'a',
  '1',
  'measure',
  '2025-11-22T03:00:00.000Z',
  '2025-11-22',
  'ab'.repeat(32),
  'ab'.repeat(64),
  '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a11',
  `ev-${'0a'.repeat(16)}`,
  `di-${'0a'.repeat(16)}`,
  `sc-${'0a'.repeat(8)}`,
  'rtsp://127.0.0.1:8554/camera',
  'mqtt://127.0.0.1:1883',
  'https://127.0.0.1:8181',
  'NGATU_SECRET',
  '/state',
  '04:00',
  `op-${'0a'.repeat(12)}`,
  'openid profile',
  '1.2.3',
  'sha512-AAAA',
  'q83v',
  `${'AAAA'.repeat(21)}AA==`,
  'A'.repeat(43),
  'A'.repeat(86),
  'text/plain',
  'some words',
  '12345678',
  '123456',
] as const;

const OBJECT_DEPTH_MAX = 24;

interface ExampleOptions {
  /** Whether properties that may be absent are there. */
  readonly withOptional: boolean;
  /** What a `$ref` stands for, by its name without `#`. */
  readonly refs?: Readonly<Record<string, unknown>>;
  /** Which of several forms is taken, counted round. */
  readonly variant?: number;
}

/**
 * A value that `schema` takes, made from the schema alone. What lies beyond it (an interval that ends before it begins) is not
 * known here.
 * @throws RangeError where no word can be made for a pattern: add one to the list
 */
export function buildSchemaExample(schema: TSchema | object, options: ExampleOptions): unknown {
  return build(schema as Readonly<Record<string, unknown>>, options, 0);
}

type Part = Readonly<Record<string, unknown>>;

function build(part: Part, options: ExampleOptions, depth: number): unknown {
  if ('const' in part) return part['const'];
  if ('$ref' in part) return build(resolve(part, options), options, depth + 1);
  for (const several of ['anyOf', 'oneOf', 'enum'] as const) {
    const forms = part[several];
    if (!Array.isArray(forms) || forms.length === 0) continue;
    const form: unknown = forms[(options.variant ?? 0) % forms.length];
    return several === 'enum' ? form : build(form as Part, options, depth + 1);
  }
  if (Array.isArray(part['allOf'])) {
    const parts = part['allOf'].map((each) => build(each as Part, options, depth + 1) as object);
    return Object.assign({}, ...parts);
  }
  switch (part['type']) {
    case 'object':
      return buildObject(part, options, depth);
    case 'array':
      return buildArray(part, options, depth);
    case 'string':
      return buildString(part);
    case 'integer':
    case 'number':
      return buildNumber(part);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 'some words';
  }
}

function resolve(part: Part, { refs = {} }: ExampleOptions): Part {
  const name = String(part['$ref']).replace(/#$/, '').split('/').at(-1) ?? '';
  const found = refs[name];
  if (typeof found !== 'object' || found === null) throw new RangeError(`no schema "${name}" is known`);
  return found as Part;
}

function buildObject(part: Part, options: ExampleOptions, depth: number): Record<string, unknown> {
  const required = Array.isArray(part['required']) ? part['required'] : [];
  const properties = (part['properties'] ?? {}) as Readonly<Record<string, Part>>;
  const made: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    const isWanted = required.includes(name) || (options.withOptional && depth < OBJECT_DEPTH_MAX);
    if (isWanted) made[name] = build(property, options, depth + 1);
  }
  const patterns = (part['patternProperties'] ?? {}) as Readonly<Record<string, Part>>;
  for (const [pattern, property] of Object.entries(patterns)) {
    if (options.withOptional) made[findWord({ pattern })] = build(property, options, depth + 1);
  }
  return made;
}

function buildArray(part: Part, options: ExampleOptions, depth: number): unknown[] {
  const { items, minItems = 0, maxItems = 1, uniqueItems } = part;
  if (Array.isArray(items)) return items.map((item) => build(item as Part, options, depth + 1));
  const count = Math.max(Number(minItems), options.withOptional ? Math.min(1, Number(maxItems)) : 0);
  return Array.from({ length: count }, (_, index) => {
    const variant = (options.variant ?? 0) + (uniqueItems === true ? index : 0);
    return build((items ?? {}) as Part, { ...options, variant }, depth + 1);
  });
}

function buildString(part: Part): string {
  const { minLength = 0 } = part;
  const word = findWord(part);
  return word.length >= Number(minLength) ? word : word.padEnd(Number(minLength), 'a');
}

function findWord({ pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Part): string {
  const form = typeof pattern === 'string' ? new RegExp(pattern, 'u') : undefined;
  const found = WORDS.find(
    (word) =>
      word.length <= Number(maxLength) &&
      (form === undefined || (word.length >= Number(minLength) && form.test(word))),
  );
  if (found !== undefined) return found;
  const made = typeof pattern === 'string' ? buildFromPattern(pattern) : undefined;
  if (made !== undefined && form?.test(made) === true && made.length <= Number(maxLength)) return made;
  throw new RangeError(`no word is known for the pattern ${String(pattern)}`);
}

function buildNumber(part: Part): number {
  const { minimum, maximum, exclusiveMinimum, multipleOf } = part;
  const least = Number(minimum ?? (exclusiveMinimum === undefined ? 0 : Number(exclusiveMinimum) + 1));
  const value = Math.max(least, Math.min(1, Number(maximum ?? 1)));
  return multipleOf === undefined ? value : Math.ceil(value / Number(multipleOf)) * Number(multipleOf);
}

/** One piece of a pattern: a class or a sign, and how often it stands. */
const PIECE = /(\[(?:\\.|[^\]])+\]|\\.|[^\\[\](){}|*+?^$.])(?:\{(\d+)(?:,\d*)?\}|([*+?]))?/g;

/** A word of a pattern that is one row of classes and signs (`^hold-[0-9a-f]{24}$`); undefined for others. */
function buildFromPattern(pattern: string): string | undefined {
  const row = pattern.replace(/^\^/, '').replace(/\$$/, '');
  const pieces = [...row.matchAll(PIECE)];
  if (pieces.map(([piece]) => piece).join('') !== row) return undefined;
  return pieces
    .map(([, sign = '', count, mark]) => {
      const times = mark === '*' || mark === '?' ? 0 : Number(count ?? 1);
      return signOf(sign).repeat(times);
    })
    .join('');
}

/** The first sign of a class, or the sign itself. */
function signOf(piece: string): string {
  const inner = piece.startsWith('[') ? piece.slice(1, -1) : piece;
  const escaped = /^\\(.)/.exec(inner)?.[1];
  if (escaped === undefined) return inner.charAt(0);
  return escaped === 'd' ? '1' : escaped === 'w' ? 'a' : escaped === 's' ? ' ' : escaped;
}
