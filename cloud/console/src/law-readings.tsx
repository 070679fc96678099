import type { Event, LawRow } from '@ngatu/contract';
import type { LawReading } from '../../src/api/api-schema.ts';
import { KindMark } from './chip.tsx';
import { formatDate, formatDay, formatFine } from './format.ts';
import { useText } from './language.tsx';

/**
 * What the law in force at the instant of the case says of it. A doubtful case has its readings side by side, each with its own
 * fine; a row that nobody has checked at the source says so.
 */
export function LawReadings({ event, laws }: { event: Event; laws: readonly LawReading[] }) {
  const { t, language } = useText();
  const [first] = laws;
  if (first === undefined) return null;
  return (
    <section class="facts law" aria-label={t('law.title')}>
      <h2>{t(laws.length > 1 ? 'law.readings' : 'law.title')}</h2>
      {laws.length > 1 && <p class="note note-warn">{t('law.doubt')}</p>}
      <div class="readings">
        {laws.map((law, index) => (
          <article key={law.kind} class="reading">
            <h3>
              <small>{t(index === 0 ? 'law.flagged' : 'law.alternative')}</small>
              <KindMark kind={law.kind} />
            </h3>
            {law.rows.length === 0 && <p class="law-none">{t('law.notRecorded')}</p>}
            {law.rows.length > 1 && <p class="hint">{t('law.candidates', { count: law.rows.length })}</p>}
            {law.rows.map((row) => (
              <Clause key={`${row.article}.${row.clause}.${row.variant ?? ''}`} row={row} />
            ))}
          </article>
        ))}
      </div>
      <p class="hint">
        {t('law.lapses', {
          day: formatDate(event.capturedAt, language),
          lapses: formatDate(first.lapsesAt, language),
        })}
      </p>
    </section>
  );
}

function Clause({ row }: { row: LawRow }) {
  const { t, language } = useText();
  const [paragraph = '', point = ''] = row.clause.split('.');
  const isVerified = row.certainty === 'V';
  return (
    <div class="clause">
      <p class="clause-fine">{formatFine(row, language)}</p>
      <p>
        {row.points === undefined
          ? t('law.points.unknown')
          : t(row.points === 0 ? 'law.points.none' : 'law.points', { points: row.points })}
      </p>
      {row.variant !== undefined && <p class="hint">{t(`law.variant.${row.variant}`)}</p>}
      <p>{row.title[language]}</p>
      <p>{t('law.clause', { article: row.article, paragraph, point, decree: row.decree })}</p>
      <p class="hint">
        {row.validUntil === undefined
          ? t('law.validFrom', { from: formatDay(row.validFrom) })
          : t('law.valid', { from: formatDay(row.validFrom), until: formatDay(row.validUntil) })}
      </p>
      <p class={isVerified ? 'hint' : 'law-unverified'}>
        <strong>{t(`law.certainty.${row.certainty}`)}</strong>
        {row.verifiedOn !== undefined && ` ${t('law.verifiedOn', { day: formatDay(row.verifiedOn) })}`}
      </p>
      <p class="hint">{t('law.source', { source: row.source[language] })}</p>
    </div>
  );
}
