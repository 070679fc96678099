import { useEffect, useState } from 'preact/hooks';
import type { DeliveryReport } from '../../src/api/delivery-schema.ts';
import { type ApiFailure, fetchDelivery } from './api-client.ts';
import { askRepeatedly } from './repeated-asking.ts';

export interface DeliveryPoll {
  readonly report: DeliveryReport | undefined;
  readonly failure: ApiFailure | undefined;
}

/** Asks what the nodes have delivered now and then every `everyMs`, while the page is shown. */
export function useDeliveryPoll(everyMs: number, onEnded: () => void): DeliveryPoll {
  const [poll, setPoll] = useState<DeliveryPoll>({ report: undefined, failure: undefined });
  useEffect(() => {
    const ask = async (signal: AbortSignal) => {
      setPoll({ report: await fetchDelivery(signal), failure: undefined });
    };
    return askRepeatedly(ask, {
      everyMs,
      onEnded,
      onFailure: (failure) => setPoll(({ report }) => ({ report, failure })),
    });
  }, [everyMs, onEnded]);
  return poll;
}
