import { setPriority } from 'node:os';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { proveNetwork } from './open-network.ts';
import { openPictureParts } from './open-picture-maker.ts';
import type { PictureNetworks, PictureReply, PictureRequest } from './picture-channel.ts';

/** Pictures must not take the processor from the analysis: priority of `nice`. */
const NICENESS = 10;

/**
 * The process that makes the pictures of an agent: takes jobs over its IPC channel, one at a time, until the channel closes.
 * @throws RangeError where there is no such channel: it is started by the agent only
 */
export async function runPictureHost(): Promise<void> {
  if (process.send === undefined) throw new RangeError('the process of pictures is started by the agent');
  setPriority(NICENESS);
  const closed = new AbortController();
  process.once('disconnect', () => closed.abort());
  const reply = (message: PictureReply): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  const desk = new HostDesk((problems) => reply({ type: 'opened', problems }));
  let queue: Promise<void> = Promise.resolve();
  process.on('message', (request: PictureRequest) => {
    queue = queue.then(async () => {
      if (request.type === 'use') return desk.use(request.networks);
      const { id } = request;
      try {
        reply(await desk.answer(request, closed.signal));
      } catch (error) {
        const isKnown = error instanceof NgatuError;
        const code = isKnown ? error.code : 'INTERNAL';
        reply({
          type: 'failed',
          id,
          code,
          message: errorMessage(error),
          retryable: isKnown && error.retryable,
        });
      }
    });
  });
  if (!closed.signal.aborted)
    await new Promise<void>((resolve) =>
      closed.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
}

type Parts = Awaited<ReturnType<typeof openPictureParts>>;

/** The networks of the process: opened with the first job that needs them, and closed when others take their place. */
class HostDesk {
  readonly #onOpened: (problems: Parts['problems']) => void;
  #networks: PictureNetworks | undefined;
  #parts: Parts | undefined;

  constructor(onOpened: (problems: Parts['problems']) => void) {
    this.#onOpened = onOpened;
  }

  async use(networks: PictureNetworks): Promise<void> {
    this.#networks = networks;
    const before = this.#parts;
    this.#parts = undefined;
    await before?.close();
  }

  async answer(
    request: Exclude<PictureRequest, { type: 'use' }>,
    signal: AbortSignal,
  ): Promise<PictureReply> {
    const { type, id } = request;
    if (type === 'prove') {
      await proveNetwork(request.use, request.network);
      return { type: 'proved', id };
    }
    const { maker, desk } = await this.#open();
    if (type === 'make') return { type: 'made', id, outcome: await maker.make(request.job, signal) };
    return { type: 'plate-read', id, outcome: await desk.readPlate(request.job, signal) };
  }

  async #open(): Promise<Parts> {
    if (this.#networks === undefined) throw new RangeError('no networks were named');
    if (this.#parts === undefined) {
      this.#parts = await openPictureParts(this.#networks);
      this.#onOpened(this.#parts.problems);
    }
    return this.#parts;
  }
}
