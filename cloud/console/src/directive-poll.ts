import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { CameraDirective } from '../../src/api/api-schema.ts';
import { ApiFailure, fetchDirectives } from './api-client.ts';

export interface DirectivePoll {
  readonly directives: readonly CameraDirective[];
  readonly failure: ApiFailure | undefined;
  /** Asks anew now: something was declared or ended. */
  readonly reload: () => void;
}

/** Asks for all directives in force and to come now and then every `everyMs`, while the page is shown. */
export function useDirectivePoll(everyMs: number, onEnded: () => void): DirectivePoll {
  const [poll, setPoll] = useState<Omit<DirectivePoll, 'reload'>>({ directives: [], failure: undefined });
  const ask = useRef<() => void>(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    const run = async () => {
      window.clearTimeout(timer);
      try {
        const directives = await fetchDirectives(stop.signal);
        setPoll({ directives, failure: undefined });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        if (error.code === 'UNAUTHENTICATED') return onEnded();
        setPoll(({ directives }) => ({ directives, failure: error }));
      }
      if (!stop.signal.aborted) timer = window.setTimeout(() => void run(), everyMs);
    };
    ask.current = () => void run();
    void run();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [everyMs, onEnded]);
  const reload = useCallback(() => ask.current(), []);
  return { ...poll, reload };
}
