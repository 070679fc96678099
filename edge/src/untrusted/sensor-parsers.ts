import { createServer } from 'node:net';
import type { UntrustedParser } from '@ngatu/contract';
import { parseGpioLevels } from '../sensor/gpio-chip.ts';
import { openModbusConnection } from '../sensor/modbus-connection.ts';
import { decodePayload, findSample } from '../sensor/payload-value.ts';
import { ReadingCheck } from '../sensor/reading-check.ts';
import { computeReadingRule } from '../sensor/reading-rule.ts';
import { decodeRegisters } from '../sensor/register-value.ts';
import { aReading } from '../testing/sensor-builder.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const NOW_MS = 1_763_000_000_000;

const payloadParser: UntrustedParser = {
  name: 'sensor-payload',
  covers: ['edge/src/sensor/payload-value.ts#decodePayload'],
  source: 'a sensor, by MQTT or HTTP',
  form: 'json',
  pace: 'process',
  open: async () => {
    const places = [
      { kind: 'json' },
      { kind: 'json', pointer: '/air/0/pm25', time: '/at' },
      { kind: 'json', pointer: '/value' },
    ] as const;
    const rule = computeReadingRule(aReading(), { intervalMs: 10_000, maxClockErrorMs: 30_000 });
    const station = { at: '2025-11-13T02:13:20.000Z', air: [{ pm25: 21.5 }], value: '7' };
    return {
      samples: [encode(JSON.stringify(station)), encode('23.5'), encode('{"value":null}')],
      parse: (input) => {
        const payload = decodePayload(input);
        for (const place of places) {
          const sample = findSample(payload, place);
          const { value, quality } = new ReadingCheck(rule, NOW_MS).judge(sample, NOW_MS);
          const isBelieved = quality === 'good';
          if (isBelieved && !(value !== undefined && value >= rule.low && value <= rule.high))
            throw new RangeError(`a value of ${value} was believed`);
        }
        return undefined;
      },
    };
  },
};

/** Answers of a Modbus server, whatever they are: the line must answer with a reading or a code. */
const modbusParser: UntrustedParser = {
  name: 'modbus-answer',
  covers: ['edge/src/sensor/register-value.ts#decodeRegisters'],
  source: 'a Modbus device, or who sits on its line',
  form: 'binary',
  pace: 'process',
  open: async () => {
    let answer: Uint8Array = new Uint8Array();
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const source = {
      kind: 'modbus-tcp',
      host: '127.0.0.1',
      port,
      framing: 'mbap',
      unit: 1,
      timeoutMs: 50,
    } as const;
    const form = { table: 'input', type: 'f32', wordOrder: 'big', byteOrder: 'big' } as const;
    const good = [0, 1, 0, 0, 0, 7, 1, 4, 4, 0x42, 0xf6, 0xe9, 0x79];
    const refusal = [0, 1, 0, 0, 0, 3, 1, 0x84, 2];
    return {
      samples: [Uint8Array.from(good)],
      variations: [Uint8Array.from(refusal), Uint8Array.from([...good, ...good])],
      extremes: [new Uint8Array(70_000).fill(0xff), new Uint8Array(512 * 1024)],
      parse: async (input, signal) => {
        answer = input;
        const connection = await openModbusConnection(source, signal);
        try {
          const registers = await connection.read({
            unit: 1,
            table: 'input',
            address: 0,
            count: 2,
            timeoutMs: 50,
          });
          decodeRegisters(registers, form);
          return undefined;
        } finally {
          connection.close();
        }
      },
      close: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  },
};

const gpioParser: UntrustedParser = {
  name: 'gpio-levels',
  covers: ['edge/src/sensor/gpio-chip.ts#parseGpioLevels'],
  source: 'gpioget of the system, or what stands in its place',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [encode('0 1 1\n'), encode('1 0 0'), encode('0 0 0\n')],
    extremes: [encode('0 '.repeat(1_000_000))],
    parse: (input) => {
      const levels = parseGpioLevels(Buffer.from(input).toString('utf8'), 3);
      if (levels.length !== 3) throw new RangeError(`${levels.length} levels of three lines`);
      return undefined;
    },
  }),
};

export const SENSOR_PARSERS: readonly UntrustedParser[] = [payloadParser, modbusParser, gpioParser];
