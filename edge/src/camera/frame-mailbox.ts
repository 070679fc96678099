/**
 * Holds the latest value only (queue of one, latest wins): what a slow consumer has not taken when the next comes is
 * dropped and counted. One consumer.
 */
export class LatestMailbox<T> implements AsyncIterableIterator<T> {
  dropped = 0;
  #value: { readonly value: T } | undefined;
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  put(value: T): void {
    if (this.#end !== undefined) return;
    if (this.#value !== undefined) this.dropped++;
    this.#value = { value };
    this.#wake?.();
  }

  /** What lies in the mailbox is still delivered; then the iteration ends, or throws the error. */
  close(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      const held = this.#value;
      if (held !== undefined) {
        this.#value = undefined;
        return { done: false, value: held.value };
      }
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The consumer takes no more. */
  async return(): Promise<IteratorResult<T>> {
    this.#value = undefined;
    this.#end = {};
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
