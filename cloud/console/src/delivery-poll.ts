import { useEffect, useState } from 'preact/hooks';
import type { DeliveryReport } from '../../src/api/delivery-schema.ts';
import { ApiFailure, fetchDelivery } from './api-client.ts';

export interface DeliveryPoll {
  readonly report: DeliveryReport | undefined;
  readonly failure: ApiFailure | undefined;
}

/** Asks what the nodes have delivered now and then every `everyMs`, while the page is shown. */
export function useDeliveryPoll(everyMs: number, onEnded: () => void): DeliveryPoll {
  const [poll, setPoll] = useState<DeliveryPoll>({ report: undefined, failure: undefined });
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    const ask = async () => {
      try {
        setPoll({ report: await fetchDelivery(stop.signal), failure: undefined });
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
  }, [everyMs, onEnded]);
  return poll;
}
