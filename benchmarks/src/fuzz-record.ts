import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FuzzResult } from './fuzz-verdict.ts';

/** What a parser was tried with: a result stands for this and nothing else. */
export interface FuzzPart {
  readonly seed: number;
  /** Mutations that the parser was to meet. */
  readonly goal: number;
}

/** Results of a campaign that is run in parts: a file `PARSER.json` for each parser that came to its end. */
export class FuzzRecord {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The result of a parser that held, under this seed and with so many mutations; undefined where it has to be tried. */
  async find(parser: string, { seed, goal }: FuzzPart): Promise<FuzzResult | undefined> {
    const text = await readFile(this.#fileOf(parser), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    const kept = JSON.parse(text) as FuzzPart & { readonly result: FuzzResult };
    return kept.seed === seed && kept.goal === goal && kept.result.holds ? kept.result : undefined;
  }

  /** Keeps a result, whole or not at all. */
  async keep(result: FuzzResult, { seed, goal }: FuzzPart): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const file = this.#fileOf(result.parser);
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify({ seed, goal, result }, undefined, 2)}\n`);
    await rename(draft, file);
  }

  #fileOf(parser: string): string {
    return join(this.#folder, `${parser}.json`);
  }
}
