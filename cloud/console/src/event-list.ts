import type { EventPage, EventSummary } from '../../src/api/api-schema.ts';
import { ApiFailure, type ListFilter, type PageRequest } from './api-client.ts';
import { endOfDay, startOfDay } from './day.ts';

const PAGE_SIZE = 50;
/** When live events have made the list longer than its pages by this much, it begins again with the first page. */
const MAX_LIVE_ITEMS = 500;

export interface EventListView {
  readonly items: readonly EventSummary[];
  readonly filter: ListFilter;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  readonly failure?: ApiFailure;
  /** Events that came by themselves since the page was loaded. */
  readonly arrived: number;
}

/** Newest first: by instant, then by id, as the API orders them. */
export function isBefore(a: EventSummary, b: EventSummary): boolean {
  return a.capturedAt === b.capturedAt ? a.eventId > b.eventId : a.capturedAt > b.capturedAt;
}

export function matchesFilter(event: EventSummary, filter: ListFilter): boolean {
  const { kind, camera, review, letPass = false, firstDay, lastDay } = filter;
  return (
    (event.letPass !== undefined) === letPass &&
    (firstDay === undefined || event.capturedAt >= startOfDay(firstDay)) &&
    (lastDay === undefined || event.capturedAt < endOfDay(lastDay)) &&
    (kind === undefined || event.kind === kind) &&
    (camera === undefined || event.camera === camera) &&
    (review === undefined || event.review === review)
  );
}

/**
 * `items` with `event` in its new form: put where it belongs, or taken out where the filter no longer lets it in. An
 * event older than the last loaded page stays out: its page brings it.
 */
export function mergeChange(
  items: readonly EventSummary[],
  event: EventSummary,
  { filter, hasMore }: { filter: ListFilter; hasMore: boolean },
): EventSummary[] {
  const others = items.filter(({ eventId }) => eventId !== event.eventId);
  if (!matchesFilter(event, filter)) return others;
  const place = others.findIndex((other) => isBefore(event, other));
  if (place >= 0) return [...others.slice(0, place), event, ...others.slice(place)];
  const isKnown = others.length < items.length;
  return isKnown || !hasMore ? [...others, event] : others;
}

/**
 * The list that the reader sees, kept while a case is open. Changes that come during a request are applied again to what
 * it brings, so that none is overwritten by an older answer.
 */
export class EventList {
  private items: readonly EventSummary[] = [];
  private filter: ListFilter = {};
  private cursor: string | undefined;
  private failure: ApiFailure | undefined;
  private request: AbortController | undefined;
  private during: EventSummary[] = [];
  private arrived = 0;
  private pagesAsked = 1;
  /** The case that was opened last, to find the place again. */
  openedEventId: string | undefined;

  constructor(
    private readonly fetchPage: (request: PageRequest) => Promise<EventPage>,
    private readonly onView: (view: EventListView) => void,
  ) {}

  view(): EventListView {
    const { items, filter, failure, arrived } = this;
    return {
      items,
      filter,
      isLoading: this.request !== undefined,
      hasMore: this.cursor !== undefined,
      ...(failure === undefined ? {} : { failure }),
      arrived,
    };
  }

  /** Loads the first page anew. */
  async load(filter: ListFilter = this.filter): Promise<void> {
    if (filter !== this.filter) this.items = [];
    this.filter = filter;
    this.arrived = 0;
    this.pagesAsked = 1;
    await this.fetch(undefined);
  }

  /** Loads the next page, unless a request runs. */
  async more(): Promise<void> {
    if (this.cursor === undefined || this.request !== undefined) return;
    this.pagesAsked += 1;
    await this.fetch(this.cursor);
  }

  /** Takes in what the live stream says. */
  apply(event: EventSummary): void {
    if (this.request !== undefined) this.during.push(event);
    const isNew = !this.items.some(({ eventId }) => eventId === event.eventId);
    this.merge(event);
    if (isNew && this.items[0]?.eventId === event.eventId) this.arrived += 1;
    this.onView(this.view());
    if (this.items.length > this.pagesAsked * PAGE_SIZE + MAX_LIVE_ITEMS && this.request === undefined)
      void this.load();
  }

  stop(): void {
    this.request?.abort();
  }

  private merge(event: EventSummary): void {
    const hasMore = this.cursor !== undefined;
    this.items = mergeChange(this.items, event, { filter: this.filter, hasMore });
  }

  private async fetch(cursor: string | undefined): Promise<void> {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    this.during = [];
    this.failure = undefined;
    this.onView(this.view());
    try {
      const paging = cursor === undefined ? {} : { cursor };
      const page = await this.fetchPage({
        filter: this.filter,
        limit: PAGE_SIZE,
        signal: request.signal,
        ...paging,
      });
      if (this.request !== request) return;
      const known = new Set(page.items.map(({ eventId }) => eventId));
      const kept = cursor === undefined ? [] : this.items.filter(({ eventId }) => !known.has(eventId));
      this.items = [...kept, ...page.items];
      this.cursor = page.nextCursor;
      for (const event of this.during) this.merge(event);
    } catch (error) {
      if (this.request !== request || request.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      this.failure = error;
    }
    this.request = undefined;
    this.onView(this.view());
  }
}
