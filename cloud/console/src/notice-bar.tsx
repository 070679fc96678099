import type { EventSummary } from '../../src/api/api-schema.ts';
import { FailureNote } from './failure-note.tsx';
import { formatTime } from './format.ts';
import { useText } from './language.tsx';
import { buildHash } from './route.ts';
import type { Workplace } from './workplace.ts';

/** What the last decision did, with the way back to it. */
export function NoticeBar({ work }: { work: Workplace }) {
  const { t } = useText();
  const { notice } = work;
  if (notice === undefined) return null;
  if ('failure' in notice) return <FailureNote failure={notice.failure} />;
  return (
    <div class="note note-good" role="status">
      <p>
        {notice.decided !== undefined && <DecidedWords decided={notice.decided} />}{' '}
        {'noneLeft' in notice && t('events.noneLeft')}
      </p>
      <button type="button" class="quiet" onClick={() => work.setNotice(undefined)}>
        {t('common.close')}
      </button>
    </div>
  );
}

function DecidedWords({ decided }: { decided: EventSummary }) {
  const { t, language } = useText();
  const key = decided.review === 'confirmed' ? 'decision.done.confirmed' : 'decision.done.rejected';
  return (
    <>
      {t(key, { kind: t(`kind.${decided.kind}`), time: formatTime(decided.capturedAt, language) })}{' '}
      <a href={buildHash({ page: 'event', eventId: decided.eventId })}>{t('decision.done.link')}</a>
    </>
  );
}
