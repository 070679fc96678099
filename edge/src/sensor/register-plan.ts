import type { RegisterPlace } from '@ngatu/contract';
import { countRegisters } from './register-value.ts';
import type { SampleSink } from './sensor-sample.ts';

/** A quantity that lies in registers. */
export interface RegisterReading {
  readonly place: RegisterPlace;
  readonly sink: SampleSink;
}

/** Registers that are asked for at once, and the readings in them. */
export interface RegisterBlock {
  readonly table: RegisterPlace['table'];
  readonly address: number;
  readonly count: number;
  readonly readings: readonly RegisterReading[];
}

/** Well below the 125 registers that an answer can carry: small devices have small buffers. */
const MAX_REGISTERS = 64;

/** Puts readings that lie side by side into one request. Over holes nothing is read: a device may refuse registers that it has not. */
export function planBlocks(readings: readonly RegisterReading[]): RegisterBlock[] {
  const sorted = [...readings].sort(
    (a, b) => a.place.table.localeCompare(b.place.table) || a.place.address - b.place.address,
  );
  const blocks: RegisterBlock[] = [];
  for (const reading of sorted) {
    const { table, address } = reading.place;
    const end = address + countRegisters(reading.place);
    const last = blocks.at(-1);
    if (last !== undefined && last.table === table && address <= last.address + last.count) {
      const count = Math.max(last.count, end - last.address);
      if (count <= MAX_REGISTERS) {
        blocks[blocks.length - 1] = { ...last, count, readings: [...last.readings, reading] };
        continue;
      }
    }
    blocks.push({ table, address, count: end - address, readings: [reading] });
  }
  return blocks;
}

/** A block as one block for each reading: where a device refuses the whole. */
export function separateReadings({ table, readings }: RegisterBlock): RegisterBlock[] {
  return readings.map((reading) => {
    const { address } = reading.place;
    return { table, address, count: countRegisters(reading.place), readings: [reading] };
  });
}
