import { useState } from 'preact/hooks';
import { ApiFailure } from './api-client.ts';

/** One thing at a time that a page asks of the API. */
export interface Task {
  readonly isRunning: boolean;
  readonly failure: ApiFailure | undefined;
  /** Runs unless something runs already. A refusal is kept to be shown; a session that has ended leads to the sign-in page. */
  run(work: () => Promise<void>): Promise<void>;
}

export function useTask(onEnded: () => void): Task {
  const [isRunning, setRunning] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const run = async (work: () => Promise<void>) => {
    if (isRunning) return;
    setRunning(true);
    setFailure(undefined);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return onEnded();
      setFailure(error);
    } finally {
      setRunning(false);
    }
  };
  return { isRunning, failure, run };
}
