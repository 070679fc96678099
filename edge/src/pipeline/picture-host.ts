import { setPriority } from 'node:os';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { openPictureParts } from './open-picture-maker.ts';
import type { PictureReply, PictureRequest } from './picture-channel.ts';

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
  let opening: ReturnType<typeof openPictureParts> | undefined;
  let queue: Promise<void> = Promise.resolve();
  process.on('message', (request: PictureRequest) => {
    if (request.type === 'open') {
      opening = openPictureParts(request.models);
      opening.then(
        ({ problems }) => reply({ type: 'opened', problems }),
        (error) => reply({ type: 'opened', problems: [errorMessage(error)] }),
      );
      return;
    }
    const { id } = request;
    queue = queue.then(async () => {
      try {
        if (opening === undefined) throw new RangeError('no models were named');
        const { maker, desk } = await opening;
        if (request.type === 'make')
          reply({ type: 'made', id, outcome: await maker.make(request.job, closed.signal) });
        else reply({ type: 'plate-read', id, outcome: await desk.readPlate(request.job, closed.signal) });
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
