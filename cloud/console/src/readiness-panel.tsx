import type { Readiness } from '@ngatu/contract';
import type { CameraOverview } from '../../src/api/api-schema.ts';
import { formatDateTime, formatDuration } from './format.ts';
import { useText } from './language.tsx';
import { describeMeasures } from './measure.ts';

/** Told by a sign and words, never by colour alone. */
const SIGNS = { ready: '✓', failing: '✕', unknown: '?' } as const;

/** What the camera's rules need, whether it is in order, and which rules are kept from looking. */
export function ReadinessPanel({ camera }: { camera: CameraOverview }) {
  const { t, language } = useText();
  const { readiness, blockedByRule } = camera;
  if (readiness === undefined) return null;
  const lost = Object.entries(blockedByRule).filter(([, ms]) => ms > 0);
  const failing = readiness.items.filter(({ state }) => state === 'failing');
  return (
    <section class="readiness" aria-label={t('readiness.title')}>
      {readiness.blocked.length === 0 ? (
        <p class="note note-good">✓ {t('readiness.allReady')}</p>
      ) : (
        <ul class="note note-bad blocked" role="status">
          {readiness.blocked.map(({ rule, items }) => (
            <li key={rule}>
              <strong>✕ {t('readiness.blocked', { rule })}</strong>{' '}
              {items.map((item) => t(`readiness.${item}`)).join(', ')}
            </li>
          ))}
        </ul>
      )}
      {failing.map((item) => (
        <p key={item.item}>
          <strong>{t(`readiness.${item.item}`)}</strong>: {item.reason[language]}{' '}
          <small>{t('readiness.since', { time: formatDateTime(item.since, language) })}</small>
        </p>
      ))}
      {lost.length > 0 && (
        <p>
          {t('readiness.lost')}:{' '}
          {lost.map(([rule, ms]) => `${rule} ${formatDuration(ms, language)}`).join('; ')}
        </p>
      )}
      <details>
        <summary>{t('readiness.all', { time: formatDateTime(readiness.at, language) })}</summary>
        <Items items={readiness.items} />
      </details>
    </section>
  );
}

function Items({ items }: { items: Readiness['items'] }) {
  const { t, language } = useText();
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('readiness.item')}</th>
            <th scope="col">{t('readiness.state')}</th>
            <th scope="col">{t('cameras.gap.reason')}</th>
            <th scope="col">{t('event.measures')}</th>
            <th scope="col">{t('readiness.from')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ item, state, reason, measures, since }) => (
            <tr key={item} class={`readiness-${state}`}>
              <th scope="row">{t(`readiness.${item}`)}</th>
              <td>
                {SIGNS[state]} {t(`readiness.state.${state}`)}
              </td>
              <td>{reason[language]}</td>
              <td>
                {describeMeasures(measures, language)
                  .map(({ words, value }) => `${words}: ${value}`)
                  .join('; ')}
              </td>
              <td>{formatDateTime(since, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
