import { describe, expect, it } from 'vitest';
import { NetworkHolder } from './network-holder.ts';

/** A network that answers when it is told to, and refuses to be used or closed while it answers. */
class SlowNetwork {
  isClosed = false;
  #open = 0;
  readonly name: string;
  readonly #answers: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  async look(): Promise<string> {
    if (this.isClosed) throw new Error(`${this.name} was used after its end`);
    this.#open += 1;
    await new Promise<void>((resolve) => this.#answers.push(resolve));
    this.#open -= 1;
    return this.name;
  }

  answer(): void {
    for (const resolve of this.#answers.splice(0)) resolve();
  }

  async close(): Promise<void> {
    if (this.#open > 0) throw new Error(`${this.name} was closed in a call`);
    this.isClosed = true;
  }
}

describe('the place of a network', () => {
  it('gives new calls to the new one at once, and closes the old one after its last call', async () => {
    const place = new NetworkHolder<SlowNetwork>();
    const [old, next] = [new SlowNetwork('old'), new SlowNetwork('new')];
    await place.replace(old);
    const before = [place.use((net) => net.look()), place.use((net) => net.look())];
    const replaced = place.replace(next);
    const after = place.use((net) => net.look());
    next.answer();
    expect(await after).toBe('new');
    expect(old.isClosed).toBe(false);
    old.answer();
    expect(await Promise.all(before)).toEqual(['old', 'old']);
    await replaced;
    expect(old.isClosed).toBe(true);
    expect(place.serving).toBe(next);
  });

  it('closes the old one although its last call failed', async () => {
    const place = new NetworkHolder<SlowNetwork>();
    const old = new SlowNetwork('old');
    await place.replace(old);
    const failing = place.use(async () => Promise.reject(new Error('no inference')));
    const replaced = place.replace(undefined);
    await expect(failing).rejects.toThrow('no inference');
    await replaced;
    expect(old.isClosed).toBe(true);
  });

  it('answers nothing while it is empty, and says when it is not', async () => {
    const place = new NetworkHolder<SlowNetwork>();
    expect(await place.use((net) => net.look())).toBeUndefined();
    const stop = new AbortController();
    let serves = false;
    const waiting = place.whenServing(stop.signal).then(() => {
      serves = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(serves).toBe(false);
    await place.replace(new SlowNetwork('one'));
    await waiting;
    await place.replace(undefined);
    const given = place.whenServing(stop.signal);
    stop.abort();
    await given;
    expect(place.serving).toBeUndefined();
  });
});
