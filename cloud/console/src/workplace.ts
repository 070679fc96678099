import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventSummary } from '../../src/api/api-schema.ts';
import { type Account, type ApiFailure, fetchEvents } from './api-client.ts';
import { EventFeed, type FeedState } from './event-feed.ts';
import { EventList, type EventListView } from './event-list.ts';

/** What the last action has to say: a decision that was recorded, the end of the queue, a failure. */
export type Notice =
  | { readonly decided: EventSummary; readonly next: boolean }
  | { readonly noneLeft: true; readonly decided?: EventSummary }
  | { readonly failure: ApiFailure };

/** What outlives a page while somebody is signed in: the list, the live stream, the last notice. */
export interface Workplace {
  readonly account: Account;
  readonly list: EventList;
  readonly view: EventListView;
  readonly feedState: FeedState;
  readonly notice: Notice | undefined;
  setNotice(notice: Notice | undefined): void;
  /** Calls back on every change of an event; returns the end of it. Stays the same function. */
  subscribe(listener: (event: EventSummary) => void): () => void;
  /** Call it where a request finds the session ended: it leads to the sign-in page. Stays the same function. */
  onEnded(): void;
}

export function useWorkplace(account: Account, onEnded: () => void): Workplace {
  const isLive = isAllowed(account, MAY.listCases) && account.needs === undefined;
  const [feedState, setFeedState] = useState<FeedState>('connecting');
  const [notice, setNotice] = useState<Notice | undefined>(undefined);
  const listeners = useRef(new Set<(event: EventSummary) => void>());
  const [view, setView] = useState<EventListView>({
    items: [],
    filter: {},
    isLoading: true,
    hasMore: false,
    arrived: 0,
  });
  const list = useMemo(() => new EventList(fetchEvents, setView), []);
  const ended = useRef(onEnded);
  ended.current = onEnded;
  const subscribe = useCallback((listener: (event: EventSummary) => void) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  }, []);
  const tellEnded = useCallback(() => ended.current(), []);

  useEffect(() => {
    if (!isLive) return;
    const feed = new EventFeed({
      onState: setFeedState,
      onStart: () => void list.load(),
      onChange: (event) => {
        list.apply(event);
        for (const listener of listeners.current) listener(event);
      },
      onSignedOut: tellEnded,
    });
    feed.start();
    return () => {
      feed.stop();
      list.stop();
    };
  }, [list, tellEnded, isLive]);

  const failure = view.failure;
  useEffect(() => {
    if (failure?.code === 'UNAUTHENTICATED') tellEnded();
  }, [failure, tellEnded]);

  return {
    account,
    list,
    view,
    feedState,
    notice,
    setNotice,
    subscribe,
    onEnded: tellEnded,
  };
}
