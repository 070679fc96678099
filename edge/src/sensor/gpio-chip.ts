import { spawn } from 'node:child_process';
import { NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { ContactWatch, type ContactWatchOptions } from './contact-watch.ts';
import { computeRetryDelayMs, waitFor } from './retry-delay.ts';

/** A line that is read. */
export interface GpioInput extends Omit<ContactWatchOptions, 'place' | 'clock' | 'logger'> {
  readonly line: number;
}

export interface GpioChipOptions {
  /** Below `/dev`: `gpiochip0`. */
  readonly chip: string;
  readonly inputs: readonly GpioInput[];
  readonly pollMs: number;
  readonly clock: ContactWatchOptions['clock'];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A process is started for each look: more often would cost more than a contact is worth, ms. */
const MIN_POLL_MS = 100;
const ANSWER_TIMEOUT_MS = 2_000;
const OUTPUT_MAX_CHARS = 8_192;
const COMPLAIN_EVERY_MS = 60_000;

/**
 * Reads lines of one chip until `signal` aborts, all with one look of `gpioget` (Debian's gpiod 1.6; nothing native is loaded here). Looks
 * and not edges: an edge that is missed would leave a wrong level standing. Without the program, the chip or the right to open it the
 * lines are unreachable, which is said, and tried again.
 */
export async function runGpioChip(options: GpioChipOptions, signal: AbortSignal): Promise<void> {
  const { chip, inputs, pollMs, clock, random, logger } = options;
  const watches = inputs.map(
    (input) => new ContactWatch({ ...input, place: `${chip} ${input.line}`, clock, logger }),
  );
  const lines = inputs.map(({ line }) => line);
  let complainedMs = Number.NEGATIVE_INFINITY;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const levels = parseGpioLevels(await askLines(chip, lines, signal), lines.length);
      failures = 0;
      for (const [index, watch] of watches.entries()) watch.take(levels[index] ?? 0);
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      if (signal.aborted) return;
      failures++;
      const fault = error.code === 'SENSOR_GARBLED' ? 'garbled' : 'unreachable';
      for (const watch of watches) watch.take({ fault, reason: error.message });
      if (clock.monotonicMs() - complainedMs >= COMPLAIN_EVERY_MS) {
        complainedMs = clock.monotonicMs();
        logger.warn({ code: error.code, failures }, error.message);
      }
    }
    const delayMs = failures === 0 ? 0 : computeRetryDelayMs(failures, random);
    await waitFor(Math.max(MIN_POLL_MS, pollMs, delayMs), signal);
  }
}

/**
 * The levels that `gpioget` prints: `count` of 0 or 1 in one line, in the order in which the lines were named.
 * @throws NgatuError SENSOR_GARBLED
 */
export function parseGpioLevels(text: string, count: number): (0 | 1)[] {
  const words = /^[01](?: [01])*\n?$/.test(text) ? text.trimEnd().split(' ') : [];
  if (words.length !== count || count === 0)
    throw new NgatuError(
      'SENSOR_GARBLED',
      `Cannot read digital inputs: gpioget prints ${JSON.stringify(text.slice(0, 40))}, expected ${count} of 0 or 1`,
    );
  return words.map((word) => (word === '1' ? 1 : 0));
}

/** @throws NgatuError SETUP_PACKAGE_MISSING, INPUT_UNREADABLE */
function askLines(chip: string, lines: readonly number[], signal: AbortSignal): Promise<string> {
  const what = `Cannot read ${chip}`;
  return new Promise((resolve, reject) => {
    const child = spawn('gpioget', [chip, ...lines.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let words = '';
    const end = (): void => void child.kill('SIGKILL');
    const limit = setTimeout(end, ANSWER_TIMEOUT_MS);
    signal.addEventListener('abort', end, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, OUTPUT_MAX_CHARS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, 200);
    });
    const finish = (): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', end);
    };
    child.once('error', (cause: NodeJS.ErrnoException) => {
      finish();
      const isMissing = cause.code === 'ENOENT';
      const why = isMissing ? 'gpioget is not installed (Debian package gpiod)' : cause.message;
      reject(
        new NgatuError(isMissing ? 'SETUP_PACKAGE_MISSING' : 'INPUT_UNREADABLE', `${what}: ${why}`, {
          cause,
        }),
      );
    });
    child.once('close', (code, killed) => {
      finish();
      if (code === 0) {
        resolve(output);
        return;
      }
      const said = words.trim() || `gpioget ended with ${code}`;
      const why = killed === null ? said : `no answer within ${ANSWER_TIMEOUT_MS} ms`;
      reject(new NgatuError('INPUT_UNREADABLE', `${what}: ${why}`, { retryable: true }));
    });
  });
}
