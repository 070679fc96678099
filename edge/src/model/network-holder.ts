import { EventEmitter, once } from 'node:events';

/** Whatever holds memory of a runtime until it is closed. */
export interface Closable {
  close(): Promise<void>;
}

/** A place for a network that others may take while it is used: between two calls, and the one before is closed when its last call has ended. */
export class NetworkHolder<T extends Closable> {
  readonly #changes = new EventEmitter();
  #serving: { readonly network: T; readonly calls: Set<Promise<unknown>> } | undefined;

  /** Who sits in the place now; ask again for every call. */
  get serving(): T | undefined {
    return this.#serving?.network;
  }

  /** Calls the one that serves; undefined where none does. */
  async use<R>(call: (network: T) => Promise<R>): Promise<R | undefined> {
    if (this.#serving === undefined) return undefined;
    const { network, calls } = this.#serving;
    const called = call(network);
    calls.add(called);
    try {
      return await called;
    } finally {
      calls.delete(called);
    }
  }

  /** Resolves when a network serves, or with `signal`. */
  async whenServing(signal: AbortSignal): Promise<void> {
    while (this.#serving === undefined && !signal.aborted)
      await once(this.#changes, 'change', { signal }).catch(() => undefined);
  }

  /** @param next owned by the holder from now on; undefined to leave the place empty */
  async replace(next: T | undefined): Promise<void> {
    const before = this.#serving;
    this.#serving = next === undefined ? undefined : { network: next, calls: new Set() };
    this.#changes.emit('change');
    if (before === undefined) return;
    await Promise.allSettled(before.calls);
    await before.network.close();
  }
}
