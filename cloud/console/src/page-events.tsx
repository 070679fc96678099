import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import { BlindStrip } from './blind-strip.tsx';
import { useCameraPoll } from './camera-poll.ts';
import { EventFilterBar } from './event-filter-bar.tsx';
import { EventRow } from './event-row.tsx';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { PlateSearch } from './plate-search.tsx';
import { useShortcuts } from './shortcut.ts';
import { WaitingOpenings } from './waiting-openings.tsx';
import type { Workplace } from './workplace.ts';

/** The state of now needs no more of the past than this. */
const STRIP_PERIOD_MS = 5 * 60_000;
const STRIP_EVERY_MS = 5_000;

function rowLinks(list: HTMLElement | null): HTMLAnchorElement[] {
  return [...(list?.querySelectorAll<HTMLAnchorElement>('a.event') ?? [])];
}

/** Moves the focus by `step` rows; from nowhere to the first one. */
function moveFocus(list: HTMLElement | null, step: number): boolean {
  const links = rowLinks(list);
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

export function EventsPage({ work }: { work: Workplace }) {
  const { t } = useText();
  const { list, view } = work;
  const rows = useRef<HTMLOListElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const { report } = useCameraPoll({
    periodMs: STRIP_PERIOD_MS,
    buckets: 0,
    everyMs: STRIP_EVERY_MS,
    onEnded: work.onEnded,
  });

  useShortcuts({
    j: () => moveFocus(rows.current, 1),
    arrowdown: () => moveFocus(rows.current, 1),
    k: () => moveFocus(rows.current, -1),
    arrowup: () => moveFocus(rows.current, -1),
    escape: () => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return undefined;
    },
  });

  useLayoutEffect(() => {
    const opened = rowLinks(rows.current).find((link) => link.dataset['eventId'] === list.openedEventId);
    opened?.focus();
    opened?.scrollIntoView({ block: 'center' });
  }, [list]);

  useEffect(() => {
    if (end.current === null) return;
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void list.more();
    });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [list, view.items.length]);

  const isFiltered = Object.keys(view.filter).length > 0;
  return (
    <div class="page">
      <BlindStrip report={report} />
      <NoticeBar work={work} />
      {isAllowed(work.account, MAY.overruleCase) && <WaitingOpenings onEnded={work.onEnded} />}
      {isAllowed(work.account, MAY.searchPlate) && <PlateSearch />}
      <div class="list-head">
        <h1>{t('events.title')}</h1>
        <EventFilterBar work={work} cameras={report?.cameras.map(({ camera }) => camera) ?? []} />
      </div>
      {view.failure !== undefined && <FailureNote failure={view.failure} onRetry={() => void list.load()} />}
      <p class="visually-hidden" aria-live="polite">
        {view.arrived > 0 ? t('events.arrived', { count: view.arrived }) : ''}
      </p>
      {view.items.length === 0 && !view.isLoading && view.failure === undefined && (
        <div class="empty">
          <p>
            <strong>{t(isFiltered ? 'events.emptyFiltered' : 'events.empty')}</strong>
          </p>
          <p>{t(isFiltered ? 'events.emptyFiltered.next' : 'events.empty.next')}</p>
        </div>
      )}
      <ol class="events" ref={rows}>
        {view.items.map((event) => (
          <EventRow key={event.eventId} event={event} />
        ))}
      </ol>
      <div class="list-end" ref={end}>
        {view.isLoading && <span role="status">{t('common.loading')}</span>}
        {!view.isLoading && view.hasMore && (
          <button type="button" onClick={() => void list.more()}>
            {t('events.more')}
          </button>
        )}
        {!view.isLoading && !view.hasMore && view.items.length > 0 && (
          <span>{t('events.end', { count: view.items.length })}</span>
        )}
      </div>
      <footer class="keys">
        {t('events.keys')} · {t('common.zone')}
      </footer>
    </div>
  );
}
