import { useEffect, useState } from 'preact/hooks';
import type { CameraReport } from '../../src/api/api-schema.ts';
import { ApiFailure, fetchCameras } from './api-client.ts';

export interface CameraPoll {
  readonly report: CameraReport | undefined;
  readonly failure: ApiFailure | undefined;
}

/** Asks for the cameras' last `periodMs` now and then every `everyMs`, while the page is shown. */
export function useCameraPoll(request: {
  periodMs: number;
  buckets: number;
  everyMs: number;
  onEnded: () => void;
}): CameraPoll {
  const { periodMs, buckets, everyMs, onEnded } = request;
  const [poll, setPoll] = useState<CameraPoll>({ report: undefined, failure: undefined });
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    const ask = async () => {
      try {
        const toMs = Date.now();
        const report = await fetchCameras({ fromMs: toMs - periodMs, toMs, buckets, signal: stop.signal });
        setPoll({ report, failure: undefined });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        if (error.code === 'UNAUTHENTICATED') return onEnded();
        setPoll(({ report }) => ({ report, failure: error }));
      }
      if (!stop.signal.aborted) timer = window.setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [periodMs, buckets, everyMs, onEnded]);
  return poll;
}
