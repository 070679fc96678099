import type { Event } from '@ngatu/contract';
import type { ComponentChildren } from 'preact';
import {
  formatDateTime,
  formatDuration,
  formatMediaTime,
  formatNumber,
  formatPreciseTime,
} from './format.ts';
import { useText } from './language.tsx';
import { describeMeasures } from './measure.ts';

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Why it was flagged, and from what: everything that the decision may lean on. */
export function EventFacts({ event, ingestedAt }: { event: Event; ingestedAt: string }) {
  const { t, language } = useText();
  const { signal, explanation } = event;
  return (
    <section class="facts" aria-label={t('event.facts')}>
      <h2>{t('event.explanation')}</h2>
      <p class="explanation">{explanation[language]}</p>
      {signal !== undefined && (
        <p>
          {t('event.signal')}: <span class={`lamp lamp-${signal.state}`} aria-hidden="true" />{' '}
          <strong>
            {t('event.signal.value', {
              state: t(`signal.${signal.state}`),
              duration: formatDuration(signal.sinceMs, language),
              confidence: formatNumber(signal.confidence, language, 2),
            })}
          </strong>
        </p>
      )}
      <Measures measures={event.measures} />
      <Provenance event={event} ingestedAt={ingestedAt} />
    </section>
  );
}

function Measures({ measures }: { measures: Event['measures'] }) {
  const { t, language } = useText();
  const rows = describeMeasures(measures, language);
  if (rows.length === 0) return null;
  return (
    <>
      <h2>{t('event.measures')}</h2>
      <dl>
        {rows.map(({ name, words, value }) => (
          <Fact key={name} name={words}>
            {value}
          </Fact>
        ))}
      </dl>
    </>
  );
}

function Provenance({ event, ingestedAt }: { event: Event; ingestedAt: string }) {
  const { t, language, nameOf } = useText();
  const { frame, subject, model } = event;
  return (
    <>
      <h2>{t('event.provenance')}</h2>
      <dl>
        <Fact name={t('event.capturedAt')}>{formatPreciseTime(event.capturedAt, language)}</Fact>
        <Fact name={t('event.clockError')}>
          {t('event.clockError.value', { duration: formatDuration(event.clockErrorMs, language) })}
        </Fact>
        <Fact name={t('event.camera')}>
          {event.site}/{event.node}/{event.camera}
        </Fact>
        <Fact name={t('event.rule')}>{event.rule}</Fact>
        <Fact name={t('event.subject')}>
          {t('event.subject.value', {
            label: nameOf('label', subject.label),
            confidence: formatNumber(subject.confidence, language, 2),
            occupants: subject.occupants.length,
          })}
        </Fact>
        <Fact name={t('event.frame')}>
          {t('event.frame.value', {
            index: frame.index,
            time: formatMediaTime(frame.mediaTimeMs),
            session: frame.session,
          })}
        </Fact>
        <Fact name={t('event.picture')}>
          {frame.width} × {frame.height}
        </Fact>
        <Fact name={t('event.model')}>
          {model.name} <code>{model.sha256}</code>
        </Fact>
        <Fact name={t('event.scene')}>
          <code>{event.sceneSha256}</code>
        </Fact>
        <Fact name={t('event.ingestedAt')}>{formatDateTime(ingestedAt, language)}</Fact>
        <Fact name={t('event.id')}>
          <code>{event.eventId}</code>
        </Fact>
      </dl>
    </>
  );
}
