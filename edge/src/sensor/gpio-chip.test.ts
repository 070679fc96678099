import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseGpioLevels, runGpioChip } from './gpio-chip.ts';
import type { Sample } from './sensor-sample.ts';

describe('the answer of gpioget', () => {
  it('is the levels in the order of the lines', () => {
    expect(parseGpioLevels('0 1 1\n', 3)).toEqual([0, 1, 1]);
    expect(parseGpioLevels('1', 1)).toEqual([1]);
  });

  it.each([
    ['', 1],
    ['0 1\n', 1],
    ['0\n', 2],
    ['2\n', 1],
    ['0  1\n', 2],
    ['"17"=active\n', 1],
    ['0\n1\n', 2],
    ['', 0],
  ])('%j is none for %i lines', (text, count) => {
    expect(() => parseGpioLevels(text, count)).toThrow(
      expect.objectContaining({ code: 'SENSOR_GARBLED', message: expect.stringContaining('gpioget prints') }),
    );
  });
});

/** A script in the place of `gpioget`: no kernel of the tests has a chip. It is asked as the real one is, and answers what a file says. */
describe('lines of a GPIO chip', () => {
  const oldPath = process.env['PATH'];
  let folder: string;
  let stop: AbortController;
  let running: Promise<void> = Promise.resolve();
  const logged: { code?: string }[] = [];
  const samples: { door: Sample[]; power: Sample[] } = { door: [], power: [] };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ngatu-gpio-'));
    stop = new AbortController();
    logged.length = 0;
    samples.door.length = 0;
    samples.power.length = 0;
  });
  afterEach(async () => {
    stop.abort();
    await running;
    process.env['PATH'] = oldPath;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whole at once. */
  function answer(script: string): void {
    writeFileSync(join(folder, 'new'), `#!/bin/sh\n[ "$*" = "gpiochip0 17 4" ] || exit 9\n${script}\n`);
    chmodSync(join(folder, 'new'), 0o755);
    renameSync(join(folder, 'new'), join(folder, 'gpioget'));
  }

  function start(path: string): void {
    process.env['PATH'] = path;
    const input = { debounceMs: 0, intervalMs: 100_000 };
    running = runGpioChip(
      {
        chip: 'gpiochip0',
        inputs: [
          { ...input, line: 17, activeLow: true, sink: { take: (sample) => void samples.door.push(sample) } },
          {
            ...input,
            line: 4,
            activeLow: false,
            sink: { take: (sample) => void samples.power.push(sample) },
          },
        ],
        pollMs: 1,
        clock: { monotonicMs: () => performance.now() },
        random: () => 0,
        logger: pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
      },
      stop.signal,
    );
  }

  it('tell their changes, each its own', async () => {
    answer('echo 1 0');
    start(`${folder}${delimiter}${oldPath}`);
    await expect
      .poll(() => samples, { timeout: 10_000 })
      .toEqual({ door: [{ raw: 0 }], power: [{ raw: 0 }] });
    answer('echo 0 0');
    await expect.poll(() => samples.door, { timeout: 10_000 }).toEqual([{ raw: 0 }, { raw: 1 }]);
    answer('echo 0 1');
    await expect.poll(() => samples.power, { timeout: 10_000 }).toEqual([{ raw: 0 }, { raw: 1 }]);
    expect(samples.door).toHaveLength(2);
  });

  it.each([
    [
      'the chip is not there',
      'echo "gpioget: error reading GPIO values: No such file or directory" >&2; exit 1',
      'unreachable',
      'INPUT_UNREADABLE',
      'No such file',
    ],
    [
      'another version answers',
      'echo \'"17"=active "4"=inactive\'',
      'garbled',
      'SENSOR_GARBLED',
      'expected 2 of 0 or 1',
    ],
    ['no answer comes', 'exec sleep 30', 'unreachable', 'INPUT_UNREADABLE', 'no answer within 2000 ms'],
  ])('have no level where %s, and have one again after', async (_, script, fault, code, reason) => {
    answer(script);
    start(`${folder}${delimiter}${oldPath}`);
    const said = [{ fault, reason: expect.stringContaining(reason) }];
    await expect.poll(() => samples, { timeout: 20_000 }).toEqual({ door: said, power: said });
    expect(logged).toEqual(expect.arrayContaining([expect.objectContaining({ code })]));
    answer('echo 1 1');
    await expect.poll(() => samples.power.at(-1), { timeout: 20_000 }).toEqual({ raw: 1 });
  });

  it('are not supplied without the program, and that is said', async () => {
    start(folder);
    await expect.poll(() => samples.door, { timeout: 10_000 }).toHaveLength(1);
    expect(samples.door[0]).toMatchObject({
      fault: 'unreachable',
      reason: expect.stringContaining('package gpiod'),
    });
    expect(logged[0]).toMatchObject({ code: 'SETUP_PACKAGE_MISSING' });
  });
});
