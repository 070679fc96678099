import { useEffect, useRef, useState } from 'preact/hooks';
import type {
  GateOverview,
  GateReport,
  PassageAnswer,
  PassageList,
  ReadingRequest,
} from '../../src/api/screening-schema.ts';
import { type ApiFailure, call } from './api-client.ts';
import { askRepeatedly } from './repeated-asking.ts';

export type { GateOverview, GateReport, PassageAnswer, PassageList, ReadingRequest };

type GateName = Pick<GateOverview, 'site' | 'node' | 'gate'>;

function pathOf({ site, node, gate }: GateName): string {
  return `/screening/gates/${site}/${node}/${gate}/passages`;
}

/** The gates with the counts of the last day. */
export function fetchGates(signal: AbortSignal): Promise<GateReport> {
  return call<GateReport>('GET', '/screening/gates', { signal, background: true });
}

/** Health data: what a gate shows and its last passages. */
export function fetchPassages(gate: GateName, signal: AbortSignal): Promise<PassageList> {
  return call<PassageList>('GET', `${pathOf(gate)}?limit=20`, { signal, background: true });
}

export function enterReading(
  gate: GateName,
  screeningId: string,
  body: ReadingRequest,
): Promise<PassageAnswer> {
  return call<PassageAnswer>('PUT', `${pathOf(gate)}/${screeningId}/reading`, { body });
}

export interface Poll<T> {
  readonly answer: T | undefined;
  readonly failure: ApiFailure | undefined;
  /** Asks now. */
  reload(): void;
}

/** Asks now and then every `everyMs`, while the page is shown; `key` names what is asked for. */
export function usePoll<T>(request: {
  key: string;
  fetch: (signal: AbortSignal) => Promise<T>;
  everyMs: number;
  onEnded: () => void;
}): Poll<T> {
  const { key, everyMs, onEnded } = request;
  const [poll, setPoll] = useState<Omit<Poll<T>, 'reload'>>({ answer: undefined, failure: undefined });
  const [turn, setTurn] = useState(0);
  const fetchNow = useRef(request.fetch);
  fetchNow.current = request.fetch;
  useEffect(() => {
    const ask = async (signal: AbortSignal) =>
      setPoll({ answer: await fetchNow.current(signal), failure: undefined });
    return askRepeatedly(ask, {
      ...{ everyMs, onEnded },
      onFailure: (failure) => setPoll(({ answer }) => ({ answer, failure })),
    });
  }, [key, turn, everyMs, onEnded]);
  return { ...poll, reload: () => setTurn((count) => count + 1) };
}
