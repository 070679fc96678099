import type { RegisterPlace } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { aReading } from '../testing/sensor-builder.ts';
import { planBlocks, separateReadings } from './register-plan.ts';
import { countRegisters, decodeRegisters } from './register-value.ts';

const form = (parts: Partial<RegisterPlace>) => ({
  table: 'holding' as const,
  type: 'u16' as const,
  wordOrder: 'big' as const,
  byteOrder: 'big' as const,
  ...parts,
});

describe('decodeRegisters', () => {
  it.each([
    ['u16', {}, [0xfffe], 65_534],
    ['i16', {}, [0xfffe], -2],
    ['u16', { byteOrder: 'little' }, [0x0102], 0x0201],
    ['u32', {}, [0x0001, 0x0002], 65_538],
    ['u32', { wordOrder: 'little' }, [0x0002, 0x0001], 65_538],
    ['i32', {}, [0xffff, 0xfffe], -2],
    // 123.456 as IEEE 754 single is 42 F6 E9 79: the four orders of the field
    ['f32', {}, [0x42f6, 0xe979], 123.456],
    ['f32', { wordOrder: 'little' }, [0xe979, 0x42f6], 123.456],
    ['f32', { byteOrder: 'little' }, [0xf642, 0x79e9], 123.456],
    ['f32', { wordOrder: 'little', byteOrder: 'little' }, [0x79e9, 0xf642], 123.456],
    ['f64', {}, [0x405e, 0xdd2f, 0x1a9f, 0xbe77], 123.456],
    ['u64', {}, [0, 1, 0, 0], 4_294_967_296],
    ['i64', {}, [0xffff, 0xffff, 0xffff, 0xffff], -1],
    ['bits', { bit: 3 }, [0b1000], 1],
    ['bits', { bit: 3, bitCount: 2 }, [0b1_1000], 3],
    ['bits', { bit: 0, bitCount: 16 }, [0xffff], 65_535],
    ['u16', { table: 'coil' }, [1], 1],
  ] as const)('reads %s %j', (type, parts, registers, expected) => {
    expect(decodeRegisters([...registers], form({ type, ...parts }))).toBeCloseTo(expected, 3);
  });

  it('gives NaN where a float is none, and refuses another number of registers', () => {
    expect(decodeRegisters([0x7fc0, 0], form({ type: 'f32' }))).toBeNaN();
    expect(() => decodeRegisters([1], form({ type: 'f32' }))).toThrow(RangeError);
    expect(() => decodeRegisters([1, 2], form({ type: 'u16' }))).toThrow(RangeError);
  });

  it('reads back what was written, in every order', () => {
    forAll(200, (random) => {
      const value = Math.fround(random.between(-1e6, 1e6));
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, value);
      const wordOrder = random.next() < 0.5 ? 'big' : 'little';
      const byteOrder = random.next() < 0.5 ? 'big' : 'little';
      const words = [0, 2].map((at) => view.getUint16(at, byteOrder === 'little'));
      const registers = wordOrder === 'big' ? words : words.reverse();
      expect(decodeRegisters(registers, form({ type: 'f32', wordOrder, byteOrder }))).toBe(value);
    });
  });
});

describe('planBlocks', () => {
  const sink = { take: () => undefined };
  const at = (address: number, type = 'u16', table = 'holding') => {
    const { from } = aReading({ from: { kind: 'register', address, type, table } });
    if (from.kind !== 'register') throw new Error('no register');
    return { place: from, sink };
  };
  const shapeOf = (readings: ReturnType<typeof at>[]) =>
    planBlocks(readings).map(({ table, address, count }) => [table, address, count]);

  it('puts what lies side by side together, and reads over no hole', () => {
    expect(shapeOf([at(4), at(0, 'f32'), at(2, 'f32'), at(6), at(2, 'f32', 'input')])).toEqual([
      ['holding', 0, 5],
      ['holding', 6, 1],
      ['input', 2, 2],
    ]);
  });

  it('keeps a block small, and two readings of one register in one block', () => {
    const many = Array.from({ length: 100 }, (_, index) => at(index));
    expect(shapeOf(many)).toEqual([
      ['holding', 0, 64],
      ['holding', 64, 36],
    ]);
    expect(shapeOf([at(3, 'bits'), at(3, 'bits')])).toEqual([['holding', 3, 1]]);
  });

  it('covers every register of every reading, whatever the map', () => {
    forAll(100, (random) => {
      const readings = Array.from({ length: random.integer(1, 30) }, () =>
        at(
          random.integer(0, 80),
          random.next() < 0.5 ? 'u16' : 'f64',
          random.next() < 0.5 ? 'holding' : 'input',
        ),
      );
      const blocks = planBlocks(readings);
      expect(blocks.flatMap((block) => block.readings)).toHaveLength(readings.length);
      for (const block of blocks) {
        for (const { place } of block.readings) {
          expect(place.table).toBe(block.table);
          expect(place.address).toBeGreaterThanOrEqual(block.address);
          expect(place.address + countRegisters(place)).toBeLessThanOrEqual(block.address + block.count);
        }
        expect(separateReadings(block)).toHaveLength(block.readings.length);
      }
    });
  });
});
