import type { SimulatedReading } from './fault-injection.ts';

/** A quantity in the registers of the simulated device: IEEE 754 single, big-endian, in two input registers from `address` on. */
export interface ImageEntry {
  readonly metric: string;
  readonly address: number;
}

const REGISTERS_EACH = 2;

/** Registers or the Modbus exception that answers instead; `silent`: nobody answers. */
export type ImageAnswer = readonly number[] | { readonly exception: number } | 'silent';

const ILLEGAL_ADDRESS = 2;
const DEVICE_FAILURE = 4;

/** What the device says of each quantity now; undefined for a quantity that it has not. */
export type CurrentReading = (metric: string) => SimulatedReading | undefined;

/** The registers of a simulated device: a quantity every two addresses. */
export class RegisterImage {
  readonly entries: readonly ImageEntry[];
  readonly #current: CurrentReading;

  constructor(metrics: readonly string[], current: CurrentReading) {
    this.entries = metrics.map((metric, index) => ({ metric, address: index * REGISTERS_EACH }));
    this.#current = current;
  }

  /** Answers a request for `count` input registers from `address` on. */
  read(address: number, count: number): ImageAnswer {
    const last = this.entries.length * REGISTERS_EACH;
    if (count < 1 || count > 125 || address + count > last) return { exception: ILLEGAL_ADDRESS };
    const view = new DataView(new ArrayBuffer(last * 2));
    for (const { metric, address: at } of this.entries) {
      if (at + REGISTERS_EACH <= address || at >= address + count) continue;
      const reading = this.#current(metric);
      if (reading === undefined || reading.silence === 'exception') return { exception: DEVICE_FAILURE };
      if (reading.silence !== undefined) return 'silent';
      view.setFloat32(at * 2, reading.value ?? Number.NaN);
    }
    return Array.from({ length: count }, (_, index) => view.getUint16((address + index) * 2));
  }
}
