import { NgatuError } from '@ngatu/contract';
import type { ModelRecord } from './model-record.ts';

export interface ModelSeatOptions<C> {
  readonly record: ModelRecord;
  /**
   * Verifies, tries and opens a model, and puts it in the place; where any of it fails, the one before stays there.
   * @throws NgatuError saying what is wrong with it
   */
  place(config: C): Promise<void>;
  identify(config: C): { readonly name: string; readonly sha256: string };
}

/**
 * The place of one model: who sits there serves. Another one takes it only after it was verified, tried and opened beside the one that serves;
 * where that fails, the one that serves stays, and the record says why.
 */
export class ModelSeat<C> {
  readonly #options: ModelSeatOptions<C>;
  #serving: C | undefined;
  #wasAsked = false;

  constructor(options: ModelSeatOptions<C>) {
    this.#options = options;
  }

  get serving(): C | undefined {
    return this.#serving;
  }

  /**
   * Asks which model is to sit here, and seats it unless it does already. What is wrong with it is recorded, and not thrown.
   * @param name of the model, where it is known before it is found
   */
  async ask(find: () => Promise<C>, name?: string): Promise<void> {
    const { record, place, identify } = this.#options;
    const isChange = this.#wasAsked;
    this.#wasAsked = true;
    let config: C | undefined;
    try {
      config = await find();
      if (this.#serving === undefined || !isSame(config, this.#serving)) {
        await place(config);
        this.accept(config, isChange);
      }
      record.agree();
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      record.refuse(error, config === undefined ? name : identify(config).name);
    }
  }

  /** Notes who sits here. */
  accept(config: C, isChange = false): void {
    this.#wasAsked = true;
    this.#serving = config;
    this.#options.record.serve(this.#options.identify(config), isChange);
  }

  /** Notes that who sat here cannot be used any more: the next time it is asked for, it is tried anew. */
  lose(error: NgatuError): void {
    this.#serving = undefined;
    this.#options.record.lose(error);
  }
}

/** What can be told to ask its source again. */
export interface Reloadable {
  /** Settles when the first model serves; fails where none can. */
  readonly opened: Promise<void>;
  reload(): Promise<void>;
}

/** Has all of them ask again, one after the other, whenever `reloads` says so, until the signal. */
export async function runReloads(
  places: readonly Reloadable[],
  reloads: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await Promise.all(places.map(({ opened }) => opened));
    for await (const _ of reloads) for (const place of places) await place.reload();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
