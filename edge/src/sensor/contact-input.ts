import { readFileSync } from 'node:fs';
import { errorMessage } from '@ngatu/contract';
import { type ContactLook, ContactWatch, type ContactWatchOptions } from './contact-watch.ts';
import { waitForAbort } from './retry-delay.ts';

export interface ContactOptions extends Omit<ContactWatchOptions, 'place'> {
  readonly path: string;
  readonly pollMs: number;
}

/** Reads one digital input until `signal` aborts: a sample at each change and at each interval. */
export async function runContactInput(options: ContactOptions, signal: AbortSignal): Promise<void> {
  const { path, pollMs } = options;
  const watch = new ContactWatch({ ...options, place: path });
  const read = (): void => watch.take(readLevel(path));
  read();
  const timer = setInterval(read, pollMs);
  try {
    await waitForAbort(signal);
  } finally {
    clearInterval(timer);
  }
}

/** Synchronous: such a file is answered by the kernel in microseconds. */
function readLevel(path: string): ContactLook {
  try {
    const text = readFileSync(path, 'latin1').trim();
    if (text === '0' || text === '1') return text === '1' ? 1 : 0;
    const reason = `it reads ${JSON.stringify(text.slice(0, 20))}, expected 0 or 1`;
    return { fault: 'unreachable', reason };
  } catch (error) {
    return { fault: 'unreachable', reason: errorMessage(error) };
  }
}
