import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The `run` folder of a product that is supervised: which processes its parts are, and what they logged. */
export class RunFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The process of a part as its supervisor noted it last; undefined where it has none. It may have died since. */
  pidOf(part: string): number | undefined {
    const file = join(this.#path, 'processes.json');
    if (!existsSync(file)) return undefined;
    const list = parseOrSkip<{ name: string; pid: number }[]>(readFileSync(file, 'utf8')) ?? [];
    return list.find(({ name }) => name === part)?.pid;
  }

  /** JSON lines of a part's log, oldest first. What is not JSON (the words of other programs) is left out. */
  logOf(part: string): Record<string, unknown>[] {
    const file = join(this.#path, 'logs', `${part}.log`);
    return [`${file}.1`, file]
      .map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
      .join('')
      .split('\n')
      .flatMap((line) => {
        const entry = line.startsWith('{') ? parseOrSkip<Record<string, unknown>>(line) : undefined;
        return entry === undefined ? [] : [entry];
      });
  }
}

/** What is being written in this moment, or was cut off with its process, is skipped. */
function parseOrSkip<T>(text: string): T | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
