import { useEffect, useState } from 'preact/hooks';
import type { CameraReport } from '../../src/api/api-schema.ts';
import { type ApiFailure, fetchCameras } from './api-client.ts';
import { askRepeatedly } from './repeated-asking.ts';

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
    const ask = async (signal: AbortSignal) => {
      const toMs = Date.now();
      const report = await fetchCameras({ fromMs: toMs - periodMs, toMs, buckets, signal });
      setPoll({ report, failure: undefined });
    };
    return askRepeatedly(ask, {
      everyMs,
      onEnded,
      onFailure: (failure) => setPoll(({ report }) => ({ report, failure })),
    });
  }, [periodMs, buckets, everyMs, onEnded]);
  return poll;
}
