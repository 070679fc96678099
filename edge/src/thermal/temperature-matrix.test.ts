import { gzipSync } from 'node:zlib';
import { NgatuError } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll, SeededRandom } from '../testing/seeded-random.ts';
import { type MatrixFormat, readJsonMatrix, readTextMatrix } from './temperature-matrix.ts';

const WIDTH = 12;
const HEIGHT = 10;
const random = new SeededRandom(7);
const CELSIUS = Array.from({ length: HEIGHT }, () =>
  Array.from({ length: WIDTH }, () => Math.round(random.between(20, 37) * 10) / 10),
);

interface Layout {
  readonly delimiter?: string;
  readonly title?: string;
  readonly numbered?: boolean;
  readonly write?: (celsius: number) => string;
  readonly line?: (cells: string) => string;
}

function render({
  delimiter = ',',
  title,
  numbered = false,
  write = String,
  line = (x) => x,
}: Layout): string {
  const rows = CELSIUS.map((row, y) =>
    [...(numbered ? [String(y + 1)] : []), ...row.map(write)].join(delimiter),
  );
  const head = numbered
    ? ['', ...Array.from({ length: WIDTH }, (_, x) => String(x + 1))].join(delimiter)
    : undefined;
  return [title, head, ...rows]
    .filter((part) => part !== undefined)
    .map((part, index) => (index === 0 && title !== undefined ? part : line(part)))
    .join('\r\n');
}

const fahrenheit = (celsius: number): string => (celsius * 1.8 + 32).toFixed(2);

function expectSame(bytes: Uint8Array, format?: MatrixFormat) {
  const reading = readTextMatrix(bytes, format);
  expect([reading.frame.width, reading.frame.height]).toEqual([WIDTH, HEIGHT]);
  for (const [i, celsius] of CELSIUS.flat().entries())
    expect(reading.frame.celsius[i]).toBeCloseTo(celsius, 1);
  return reading;
}

describe('a matrix as text', () => {
  it('may have any delimiter, a decimal comma, numbers of rows and columns, and delimiters at the ends', () => {
    expectSame(Buffer.from(render({})));
    expectSame(Buffer.from(render({ delimiter: '\t' })));
    expectSame(Buffer.from(render({ delimiter: ' ' })));
    expectSame(Buffer.from(render({ delimiter: ';', write: (c) => String(c).replace('.', ',') })));
    expectSame(Buffer.from(render({ numbered: true })));
    expectSame(Buffer.from(render({ numbered: true, line: (cells) => `${cells},` })));
    expectSame(Buffer.from(render({ numbered: true, line: (cells) => `"${cells},"` })));
    expectSame(Buffer.from(render({ write: (c) => `"${String(c).replace('.', ',')}"` })));
  });

  it('may be packed, in UTF-16 or Latin-1, and state its unit', () => {
    const text = render({ title: 'All temperatures in °F.\r\n', numbered: true, write: fahrenheit });
    const wide = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')]);
    expect(expectSame(gzipSync(wide))).toMatchObject({ unit: '[degF]', unitFrom: 'stated' });
    expect(expectSame(Buffer.from(text, 'utf16le').swap16())).toMatchObject({ unit: '[degF]' });
    expect(expectSame(Buffer.from(text, 'latin1'))).toMatchObject({ unit: '[degF]', unitFrom: 'stated' });
    const kelvin = render({ title: 'Temperature (K)', write: (c) => (c + 273.15).toFixed(2) });
    expect(expectSame(Buffer.from(kelvin))).toMatchObject({ unit: 'K', unitFrom: 'stated' });
  });

  it('is taken by the size of its numbers where it states no unit, and by the caller where he does', () => {
    const text = Buffer.from(render({ write: fahrenheit }));
    expect(expectSame(text)).toMatchObject({ unit: '[degF]', unitFrom: 'inferred' });
    expect(expectSame(text, { unit: '[degF]' })).toMatchObject({ unitFrom: 'declared' });
    expect(() => readTextMatrix(text, { unit: 'K' })).toThrow(/none of a room/);
  });

  it('leaves unreadable cells out, and is refused where most are', () => {
    let cell = 0;
    const holes = render({ write: (c) => (cell++ % 9 === 4 ? '--' : String(c)) });
    const { frame } = readTextMatrix(Buffer.from(holes));
    expect(frame.celsius[4]).toBeNaN();
    expect(frame.celsius[5]).toBeCloseTo(CELSIUS[0]?.[5] ?? 0, 1);
    for (const text of ['', 'no numbers', '1,2,3\n4,5,6', 'a'.repeat(100_000), '\0'.repeat(999)])
      expect(() => readTextMatrix(Buffer.from(text))).toThrow(NgatuError);
    expect(() => readTextMatrix(Buffer.of(0x1f, 0x8b, 8, 0, 1, 2, 3))).toThrow(/gzip is not sound/);
    expect(() => readTextMatrix(gzipSync(Buffer.alloc(80_000_000)))).toThrow(/gzip is not sound/);
  });

  it('gives a frame or THERMAL_INVALID, whatever characters are changed', () => {
    const base = Buffer.from(render({ title: 'All in °C', numbered: true }));
    let refused = 0;
    forAll(2_000, (rng) => {
      const bytes = Buffer.from(base);
      for (let count = rng.integer(1, 40); count > 0; count--)
        bytes[rng.integer(0, bytes.length - 1)] = rng.next() < 0.5 ? rng.integer(0, 255) : 0x2c;
      try {
        const { frame } = readTextMatrix(bytes);
        expect(frame.celsius).toHaveLength(frame.width * frame.height);
      } catch (error) {
        refused++;
        expect(error).toMatchObject({ code: 'THERMAL_INVALID' });
      }
    });
    expect(refused).toBeGreaterThan(30);
  });
});

describe('a matrix as JSON', () => {
  const message = { schemaVersion: 1, unit: 'Cel', width: WIDTH, height: HEIGHT, values: CELSIUS.flat() };

  it('gives its temperatures and time', () => {
    const frame = readJsonMatrix(JSON.stringify({ ...message, capturedAt: '2026-01-05T08:00:00.000Z' }));
    expect(frame.capturedAtMs).toBe(Date.UTC(2026, 0, 5, 8));
    expect(frame.celsius[0]).toBeCloseTo(CELSIUS[0]?.[0] ?? 0, 4);
    const kelvin = readJsonMatrix(
      JSON.stringify({ ...message, unit: 'K', values: message.values.map((c) => c + 273.15) }),
    );
    expect(kelvin.celsius[7]).toBeCloseTo(CELSIUS[0]?.[7] ?? 0, 3);
  });

  it('is refused where it does not match', () => {
    const wrong = [
      '{',
      'null',
      JSON.stringify({ ...message, unit: 'C' }),
      JSON.stringify({ ...message, width: 13 }),
      JSON.stringify({ ...message, schemaVersion: 2 }),
      JSON.stringify({ ...message, values: message.values.map(() => null) }),
      JSON.stringify({ ...message, values: message.values.map(() => 500) }),
      JSON.stringify({ ...message, person: 'somebody' }),
    ];
    for (const text of wrong)
      expect(() => readJsonMatrix(text)).toThrow(expect.objectContaining({ code: 'THERMAL_INVALID' }));
  });
});
