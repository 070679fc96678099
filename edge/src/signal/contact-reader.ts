import { readFileSync } from 'node:fs';
import { errorMessage, type InputSignalSource } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { ContactLevel, ContactSignal } from './contact-signal.ts';

/**
 * Reads the contacts of a signal over and over until `signal` aborts. A contact that cannot be read makes the signal unknown; it
 * is said once, by code INPUT_UNREADABLE, and tried again with every round.
 */
export async function runContactReader(
  options: {
    readonly source: Pick<InputSignalSource, 'contacts' | 'pollMs'>;
    readonly sink: Pick<ContactSignal, 'add'>;
    readonly clock: { nowMs(): number };
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { source, sink, clock, logger } = options;
  const failing = new Set<string>();
  const readAll = (): void => {
    const levels = source.contacts.map(({ path }) => readContact(path, failing, logger));
    sink.add(levels, clock.nowMs());
  };
  readAll();
  const timer = setInterval(readAll, source.pollMs);
  try {
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
  } finally {
    clearInterval(timer);
  }
}

/** Synchronous: such a file is answered by the kernel in microseconds, and the instant of the reading is the answer. */
function readContact(path: string, failing: Set<string>, logger: Logger): ContactLevel {
  let reason: string;
  try {
    const text = readFileSync(path, 'latin1').trim();
    if (text === '0' || text === '1') {
      if (failing.delete(path)) logger.info({ path }, 'digital input can be read again');
      return text === '1' ? 1 : 0;
    }
    reason = `it reads ${JSON.stringify(text.slice(0, 20))}, expected 0 or 1`;
  } catch (error) {
    reason = errorMessage(error);
  }
  if (!failing.has(path))
    logger.warn({ code: 'INPUT_UNREADABLE', path }, `Cannot read digital input: ${reason}`);
  failing.add(path);
  return undefined;
}
