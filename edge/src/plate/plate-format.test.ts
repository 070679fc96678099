import { describe, expect, it } from 'vitest';
import { resolvePlate } from './plate-format.ts';
import { listPlaces, PLATE_FORMATS, PLATE_GROUNDS, showPlate, UNUSED_CODES } from './plate-format-data.ts';

const on = new Date('2026-11-22T00:00:00Z');

describe('formats of plates', () => {
  it('writes as many characters as it shows, in sets that hold no letter that is never used', () => {
    for (const format of PLATE_FORMATS) {
      const places = listPlaces(format);
      const text = places.map((set) => set[0] ?? '').join('');
      expect(text, format.id).toHaveLength(format.shown.replaceAll(/[-. ]/g, '').length);
      expect(showPlate(text, format).replaceAll(/[-. ]/g, '').replaceAll('Đ', 'D'), format.id).toBe(text);
      expect(resolvePlate(text, undefined, { on }).state, format.id).not.toBe('unknown');
      if (!/foreign|military/.test(format.id)) expect(places.join(''), format.id).not.toMatch(/[IJOQW]/);
    }
  });

  it('says of every fact where it comes from and how sure it is', () => {
    for (const { source, certainty } of [...PLATE_FORMATS, ...PLATE_GROUNDS, UNUSED_CODES]) {
      expect(source.length).toBeGreaterThan(8);
      expect(['V', 'S', 'U']).toContain(certainty);
    }
  });

  it.each([
    ['30A12345', 'one-line', 'car', 'certain', '30A-123.45', 'car'],
    ['30A12345', 'two-line', 'car', 'certain', '30A-123.45', 'car'],
    ['30A12345', 'two-line', 'motorbike', 'certain', '30-A1 2345', 'motorbike-four-figures'],
    ['59P166480', 'two-line', 'motorbike', 'certain', '59-P1 664.80', 'motorbike'],
    ['29MD112345', 'two-line', 'motorbike', 'certain', '29-MĐ1 123.45', 'electric-motorbike'],
    ['29AA12345', 'two-line', 'motorbike', 'certain', '29-AA 123.45', 'motorbike-two-letters'],
    ['51LD12345', 'one-line', 'car', 'certain', '51LD-123.45', 'special-LD'],
    ['80123NG45', 'two-line', 'car', 'certain', '80-123-NG-45', 'foreign-NG'],
    ['AB1234', 'one-line', 'truck', 'certain', 'AB-12-34', 'military'],
  ] as const)('%s of %s on a %s', (text, layout, kind, state, shown, format) => {
    const resolved = resolvePlate(text, layout, { class: kind, on });
    expect(resolved).toMatchObject({ state, shown });
    expect(resolved.formats[0]?.id).toBe(format);
  });

  it('stays ambiguous where nothing decides', () => {
    const resolved = resolvePlate('30A12345', 'two-line', { on });
    expect(resolved.state).toBe('ambiguous');
    expect(resolved.reason).toContain('30A-123.45');
    expect(resolved.reason).toContain('30-A1 2345');
    expect(resolved.shown).toBeUndefined();
  });

  it('says so where a plate is not for such a vehicle', () => {
    expect(resolvePlate('59P166480', 'two-line', { class: 'car', on })).toMatchObject({ state: 'ambiguous' });
    expect(resolvePlate('30A12345', 'one-line', { class: 'motorbike', on }).state).toBe('ambiguous');
  });

  it('knows no format with letters that are never used, and hardly believes codes that were never given out', () => {
    expect(resolvePlate('30O12345', 'one-line', { class: 'car', on }).state).toBe('unknown');
    const [given, never] = ['30A12345', '13A12345'].map((text) =>
      resolvePlate(text, 'one-line', { class: 'car', on }),
    );
    expect(given?.logPrior ?? 0).toBeGreaterThan((never?.logPrior ?? 0) + 3);
  });

  it('knows five figures only since they are issued', () => {
    const before = new Date('2009-06-01T00:00:00Z');
    expect(
      resolvePlate('30A12345', 'one-line', { class: 'car', on: before }).formats.map(({ id }) => id),
    ).not.toContain('car');
  });
});
