import { useCallback, useEffect, useState } from 'preact/hooks';
import type { CameraDirective } from '../../src/api/api-schema.ts';
import { type ApiFailure, fetchDirectives } from './api-client.ts';
import { askRepeatedly } from './repeated-asking.ts';

export interface DirectivePoll {
  readonly directives: readonly CameraDirective[];
  readonly failure: ApiFailure | undefined;
  /** Asks anew now: something was declared or ended. */
  readonly reload: () => void;
}

/** Asks for all directives in force and to come now and then every `everyMs`, while the page is shown. */
export function useDirectivePoll(everyMs: number, onEnded: () => void): DirectivePoll {
  const [poll, setPoll] = useState<Omit<DirectivePoll, 'reload'>>({ directives: [], failure: undefined });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const ask = async (signal: AbortSignal) =>
      setPoll({ directives: await fetchDirectives(signal), failure: undefined });
    return askRepeatedly(ask, {
      ...{ everyMs, onEnded },
      onFailure: (failure) => setPoll(({ directives }) => ({ directives, failure })),
    });
  }, [everyMs, onEnded, turn]);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  return { ...poll, reload };
}
