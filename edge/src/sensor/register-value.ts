import type { RegisterPlace } from '@ngatu/contract';

type Form = Pick<RegisterPlace, 'table' | 'type' | 'wordOrder' | 'byteOrder' | 'bit' | 'bitCount'>;

const REGISTERS: Readonly<Record<RegisterPlace['type'], number>> = {
  bits: 1,
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  f32: 2,
  u64: 4,
  i64: 4,
  f64: 4,
};

/** How many registers a value takes; of coils and discrete inputs, one. */
export function countRegisters({ table, type }: Pick<RegisterPlace, 'table' | 'type'>): number {
  return table === 'coil' || table === 'discrete' ? 1 : REGISTERS[type];
}

/**
 * The number in `registers` (each 0–65535, in the order of their addresses; of coils and discrete inputs 0 or 1). NaN where a float is none. 64-bit
 * integers beyond 2^53 are rounded.
 * @throws RangeError where there are fewer or more registers than the form has: the caller asked for another number
 */
export function decodeRegisters(registers: readonly number[], form: Form): number {
  if (registers.length !== countRegisters(form))
    throw new RangeError(`${registers.length} registers are no ${form.type}`);
  const first = registers[0] ?? 0;
  if (form.table === 'coil' || form.table === 'discrete') return first === 0 ? 0 : 1;
  const view = new DataView(new ArrayBuffer(8));
  const ordered = form.wordOrder === 'little' ? [...registers].reverse() : registers;
  for (const [index, register] of ordered.entries())
    view.setUint16(2 * index, register, form.byteOrder === 'little');
  switch (form.type) {
    case 'u16':
      return view.getUint16(0);
    case 'i16':
      return view.getInt16(0);
    case 'u32':
      return view.getUint32(0);
    case 'i32':
      return view.getInt32(0);
    case 'f32':
      return view.getFloat32(0);
    case 'f64':
      return view.getFloat64(0);
    case 'u64':
      return Number(view.getBigUint64(0));
    case 'i64':
      return Number(view.getBigInt64(0));
    case 'bits':
      return (view.getUint16(0) >>> (form.bit ?? 0)) & (2 ** (form.bitCount ?? 1) - 1);
  }
}
