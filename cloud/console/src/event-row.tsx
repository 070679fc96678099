import { useState } from 'preact/hooks';
import type { EventSummary } from '../../src/api/api-schema.ts';
import { buildEvidenceUrl } from './api-client.ts';
import { KindMark, LetPassChip, ReviewChip } from './chip.tsx';
import { formatDate, formatTime } from './format.ts';
import { useText } from './language.tsx';
import { buildHash } from './route.ts';

export function EventRow({ event }: { event: EventSummary }) {
  const { t, language, nameOf } = useText();
  return (
    <li>
      <a
        class={`event event-${event.review}`}
        data-event-id={event.eventId}
        href={buildHash({ page: 'event', eventId: event.eventId })}
      >
        <Thumbnail sha256={event.stillSha256} isLetPass={event.letPass !== undefined} />
        <span class="event-what">
          <KindMark kind={event.kind} />
          <span class="less">{nameOf('label', event.label)}</span>
          {event.plate?.masked !== undefined && (
            <span class="plate-glance" title={t(`plate.state.${event.plate.state}`)}>
              {event.plate.masked}
            </span>
          )}
        </span>
        <span class="event-when">
          <time dateTime={event.capturedAt}>{formatTime(event.capturedAt, language)}</time>
          <span class="less">{formatDate(event.capturedAt, language)}</span>
        </span>
        <span class="event-where">
          <span>{event.camera}</span>
          <span class="less">{t('events.node', { node: event.node })}</span>
        </span>
        {event.letPass === undefined ? (
          <ReviewChip review={event.review} />
        ) : (
          <LetPassChip reason={event.letPass} />
        )}
      </a>
    </li>
  );
}

function Thumbnail({ sha256, isLetPass }: { sha256: string | undefined; isLetPass: boolean }) {
  const { t } = useText();
  const [broken, setBroken] = useState<string | undefined>(undefined);
  if (sha256 === undefined || broken === sha256)
    return <span class="thumb thumb-none">{t(isLetPass ? 'letPass.noPicture' : 'events.noStill')}</span>;
  return (
    <img
      class="thumb"
      src={buildEvidenceUrl(sha256)}
      alt={t('events.stillAlt')}
      loading="lazy"
      decoding="async"
      onError={() => setBroken(sha256)}
    />
  );
}
