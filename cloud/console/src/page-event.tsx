import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventDetail } from '../../src/api/api-schema.ts';
import { ApiFailure, fetchEvent, fetchEvents, type ListFilter } from './api-client.ts';
import { KindMark, LetPassChip, ReviewChip } from './chip.tsx';
import { DecisionPanel } from './decision-panel.tsx';
import { EventFacts } from './event-facts.tsx';
import { EvidenceTable } from './evidence-table.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDate, formatPreciseTime } from './format.ts';
import { HoldPanel } from './hold-panel.tsx';
import { useText } from './language.tsx';
import { LawReadings } from './law-readings.tsx';
import { LetPassPanel } from './let-pass-panel.tsx';
import { MediaViewer } from './media-viewer.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { PlatePanel } from './plate-panel.tsx';
import { buildHash, openRoute } from './route.ts';
import { SealPanel } from './seal-panel.tsx';
import { useShortcuts } from './shortcut.ts';
import type { Workplace } from './workplace.ts';

interface Opened {
  readonly detail?: EventDetail;
  readonly failure?: ApiFailure;
}

/** Loads the case, and again whenever the live stream says that it changed (a file arrived, somebody decided). */
function useEventDetail(eventId: string, work: Workplace): Opened & { reload: () => void } {
  const [opened, setOpened] = useState<Opened>({});
  const request = useRef<AbortController | undefined>(undefined);
  const { onEnded } = work;
  const reload = useCallback(async () => {
    request.current?.abort();
    const own = new AbortController();
    request.current = own;
    try {
      const detail = await fetchEvent(eventId, own.signal);
      setOpened({ detail });
    } catch (error) {
      if (own.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') onEnded();
      setOpened(({ detail }) => (detail === undefined ? { failure: error } : { detail, failure: error }));
    }
  }, [eventId, onEnded]);
  const { subscribe } = work;
  useEffect(() => {
    void reload();
    const end = subscribe((changed) => {
      if (changed.eventId === eventId) void reload();
    });
    return () => {
      end();
      request.current?.abort();
    };
  }, [eventId, reload, subscribe]);
  return { ...opened, reload: () => void reload() };
}

/** The open case that follows in the list: the next older one, else the newest. */
async function findNextOpen(filter: ListFilter, decided: EventDetail): Promise<string | undefined> {
  const { letPass: _, ...rest } = filter;
  const open: ListFilter = { ...rest, review: 'open' };
  const older = await fetchEvents({ filter: open, limit: 1, to: decided.event.capturedAt });
  const next = older.items[0] ?? (await fetchEvents({ filter: open, limit: 1 })).items[0];
  return next?.eventId;
}

export function EventPage({ eventId, work }: { eventId: string; work: Workplace }) {
  const { t, language, nameOf } = useText();
  const { detail, failure, reload } = useEventDetail(eventId, work);
  const heading = useRef<HTMLHeadingElement>(null);
  work.list.openedEventId = eventId;
  const isLoaded = detail !== undefined;
  useLayoutEffect(() => {
    if (isLoaded) heading.current?.focus();
  }, [isLoaded]);
  useShortcuts({
    escape: () => {
      work.setNotice(undefined);
      openRoute({ page: 'events' });
      return undefined;
    },
  });

  const goOn = async (decided: EventDetail) => {
    const { event, ingestedAt, review } = decided;
    const { kind, site, node, camera, rule, capturedAt } = event;
    const label = event.subject.label;
    const summary = { eventId, kind, site, node, camera, rule, label, capturedAt, ingestedAt, review };
    try {
      const next = await findNextOpen(work.view.filter, decided);
      work.setNotice(
        next === undefined ? { noneLeft: true, decided: summary } : { decided: summary, next: true },
      );
      openRoute(next === undefined ? { page: 'events' } : { page: 'event', eventId: next });
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      work.setNotice({ failure: error });
      openRoute({ page: 'events' });
    }
  };

  if (detail === undefined) {
    return (
      <div class="page">
        <BackLink />
        {failure === undefined ? (
          <p role="status">{t('event.loading')}</p>
        ) : (
          <FailureNote failure={failure} onRetry={reload} />
        )}
      </div>
    );
  }
  const { event } = detail;
  return (
    <div class="page">
      <NoticeBar work={work} />
      <div class="case-head">
        <BackLink />
        <h1 ref={heading} tabIndex={-1}>
          <KindMark kind={event.kind} /> · {nameOf('label', event.subject.label)}
        </h1>
        <span class="case-where">
          {event.camera} ·{' '}
          <time dateTime={event.capturedAt}>
            {formatPreciseTime(event.capturedAt, language)} {formatDate(event.capturedAt, language)}
          </time>{' '}
          <small>{t('common.zone')}</small>
        </span>
        {event.letPass === undefined ? (
          <ReviewChip review={detail.review} />
        ) : (
          <LetPassChip reason={event.letPass.reason} />
        )}
      </div>
      {failure !== undefined && <FailureNote failure={failure} onRetry={reload} />}
      <div class="case">
        {event.letPass !== undefined && detail.evidence === undefined ? (
          <p class="stage stage-words media">{t('letPass.noPictures')}</p>
        ) : (
          <MediaViewer detail={detail} account={work.account} />
        )}
        <div class="case-side">
          {event.letPass === undefined && !isAllowed(work.account, MAY.decideCase) && (
            <p class="note">{t('decision.others')}</p>
          )}
          {event.letPass === undefined && isAllowed(work.account, MAY.decideCase) && (
            <DecisionPanel
              detail={detail}
              onDecided={(decided) => void goOn(decided)}
              onConflict={reload}
              work={work}
            />
          )}
          {event.letPass !== undefined && <LetPassPanel letPass={event.letPass} />}
          {isAllowed(work.account, MAY.readPlate) && event.letPass === undefined && (
            <PlatePanel detail={detail} account={work.account} />
          )}
          <LawReadings event={event} laws={detail.laws} />
          <SealPanel detail={detail} account={work.account} onEnded={work.onEnded} />
          <HoldPanel eventId={event.eventId} account={work.account} />
          <EventFacts event={event} ingestedAt={detail.ingestedAt} />
        </div>
        {(event.letPass === undefined || detail.evidence !== undefined) && (
          <EvidenceTable detail={detail} account={work.account} onEnded={work.onEnded} />
        )}
      </div>
      <footer class="keys">
        {t('decision.keys')} · {t('media.keys')} · Esc {t('common.back').toLowerCase()}
      </footer>
    </div>
  );
}

function BackLink() {
  const { t } = useText();
  return (
    <a class="back" href={buildHash({ page: 'events' })}>
      ← {t('common.back')}
    </a>
  );
}
