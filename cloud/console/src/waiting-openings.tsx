import { useEffect, useState } from 'preact/hooks';
import type { OpeningStatus } from '../../src/api/opening-schema.ts';
import { ApiFailure, fetchWaitingOpenings } from './api-client.ts';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { buildHash } from './route.ts';

/** Somebody waits for the answer: asked for this often while the list is shown, ms. */
const ASK_EVERY_MS = 10_000;

/** Who waits for a second person before an original opens, with the way to each case. Nothing where nobody waits. */
export function WaitingOpenings({ onEnded }: { onEnded: () => void }) {
  const { t, language } = useText();
  const [waiting, setWaiting] = useState<readonly OpeningStatus[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      try {
        setWaiting(await fetchWaitingOpenings(stop.signal));
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiFailure)) throw error;
        // The list below says it where the centre cannot be reached.
        if (error.code === 'UNAUTHENTICATED') onEnded();
      }
    };
    void ask();
    const timer = window.setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      stop.abort();
      window.clearInterval(timer);
    };
  }, [onEnded]);
  if (waiting.length === 0) return null;
  return (
    <section class="note note-warn">
      <p>
        <strong>{t('opening.waiting', { count: waiting.length })}</strong>
      </p>
      <ul>
        {waiting.map(({ openingId, eventId, requestedBy, requestedAt, reason }) => (
          <li key={openingId}>
            <a href={buildHash({ page: 'event', eventId })}>
              {t('opening.asked', { person: requestedBy, time: formatDateTime(requestedAt, language) })}
            </a>
            : “{reason}”
          </li>
        ))}
      </ul>
    </section>
  );
}
