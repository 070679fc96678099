import { useState } from 'preact/hooks';
import type { PlateSearchAnswer } from '../../src/api/plate-schema.ts';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { searchPlates } from './plate-client.ts';
import { ReasonForm } from './reason-form.tsx';
import { buildHash } from './route.ts';

/** Cases by plate, with a reason: for who may follow a vehicle through what the centre keeps. */
export function PlateSearch() {
  const { t, language, nameOf } = useText();
  const [isOpen, setOpen] = useState(false);
  const [plate, setPlate] = useState('');
  const [found, setFound] = useState<PlateSearchAnswer['items'] | undefined>(undefined);
  if (!isOpen) {
    return (
      <p>
        <button type="button" class="quiet" onClick={() => setOpen(true)}>
          {t('plate.search')}
        </button>
      </p>
    );
  }
  return (
    <section class="panel" aria-label={t('plate.search.title')}>
      <ReasonForm
        label={t('plate.search.why')}
        hint={t('plate.search.hint')}
        sendText={t('plate.search.send')}
        send={async (reason) => setFound(await searchPlates({ plate, reason }))}
        onDone={() => undefined}
        onCancel={() => {
          setOpen(false);
          setPlate('');
          setFound(undefined);
        }}
      >
        <label>
          {t('plate.search.text')}
          <input
            class="plate-input"
            value={plate}
            required
            minLength={4}
            maxLength={24}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setPlate(event.currentTarget.value)}
          />
        </label>
      </ReasonForm>
      {found !== undefined && <p role="status">{t('plate.search.found', { count: found.length })}</p>}
      {found !== undefined && found.length > 0 && (
        <ul>
          {found.map(({ eventId, kind, camera, capturedAt, source }) => (
            <li key={eventId}>
              <a href={buildHash({ page: 'event', eventId })}>
                {nameOf('kind', kind)} · {camera} · {formatDateTime(capturedAt, language)}
              </a>{' '}
              <small>{t(`plate.source.${source}`)}</small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
