import { ApiFailure } from './api-client.ts';

interface Asking {
  /** From the end of one asking to the beginning of the next, ms. */
  readonly everyMs: number;
  readonly onFailure: (failure: ApiFailure) => void;
  /** The session has ended; nothing is asked any more. */
  readonly onEnded: () => void;
}

/**
 * Calls `ask` now and again and again until the returned function is called. What the API refuses is told, and asked for again. For
 * `useEffect`.
 */
export function askRepeatedly(
  ask: (signal: AbortSignal) => Promise<void>,
  { everyMs, onFailure, onEnded }: Asking,
): () => void {
  const stop = new AbortController();
  let timer: number | undefined;
  const run = async (): Promise<void> => {
    try {
      await ask(stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return onEnded();
      onFailure(error);
    }
    if (!stop.signal.aborted) timer = window.setTimeout(() => void run(), everyMs);
  };
  void run();
  return () => {
    stop.abort();
    window.clearTimeout(timer);
  };
}
