import { useState } from 'preact/hooks';
import { type Areas, replaceAreas } from './access-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';
import { useTask } from './task.ts';

/** One area a line: name of the area | its name for people | the area that it lies in | its sites. */
function formatAreas(areas: Areas): string {
  return areas
    .map(({ areaId, name, parent, sites }) => [areaId, name, parent ?? '', sites.join(', ')].join(' | '))
    .join('\n');
}

/** What `formatAreas` writes; empty lines count for nothing. */
function parseAreas(text: string): Areas {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [areaId = '', name = '', parent = '', sites = ''] = line.split('|').map((part) => part.trim());
      const listed = sites.split(/[\s,]+/).filter((site) => site !== '');
      return { areaId, name, ...(parent === '' ? {} : { parent }), sites: listed };
    });
}

/** The tree of areas, and for administrators the way to change it. */
export function AreaPanel(props: {
  areas: Areas;
  mayGovern: boolean;
  onChanged: (areas: Areas) => void;
  onEnded: () => void;
}) {
  const { areas, mayGovern, onChanged, onEnded } = props;
  const { t } = useText();
  const [text, setText] = useState<string | undefined>(undefined);
  const [reason, setReason] = useState('');
  const { isRunning, failure, run } = useTask(onEnded);
  const leave = () => setText(undefined);
  const send = () =>
    run(async () => {
      onChanged(await replaceAreas(parseAreas(text ?? ''), reason.trim()));
      leave();
    });
  return (
    <section class="panel">
      <h2>{t('areas.title')}</h2>
      <p class="hint">{t('areas.hint')}</p>
      {text === undefined && <AreaTree areas={areas} parent={undefined} />}
      {text === undefined && areas.length === 0 && <p>{t('areas.none')}</p>}
      {text === undefined && mayGovern && (
        <div>
          <button
            type="button"
            onClick={() => {
              setReason('');
              setText(formatAreas(areas));
            }}
          >
            {t('areas.change')}
          </button>
        </div>
      )}
      {text !== undefined && (
        <CancelForm class="panel-form" onSend={send} onCancel={leave}>
          <label>
            {t('areas.lines')}
            <textarea
              rows={8}
              value={text}
              spellcheck={false}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <ReasonField label={t('accounts.reason')} value={reason} onChange={setReason} />
          {failure !== undefined && <FailureNote failure={failure} />}
          <div class="decision-keys">
            <button type="submit" class="primary" disabled={isRunning || !isReason(reason)}>
              {t('common.save')}
            </button>
            <button type="button" class="quiet" onClick={leave}>
              {t('common.cancel')} <kbd>Esc</kbd>
            </button>
          </div>
        </CancelForm>
      )}
    </section>
  );
}

function AreaTree({ areas, parent }: { areas: Areas; parent: string | undefined }) {
  const within = areas.filter((area) => area.parent === parent);
  if (within.length === 0) return null;
  return (
    <ul class="areas">
      {within.map(({ areaId, name, sites }) => (
        <li key={areaId}>
          <strong>{name}</strong> <small>{areaId}</small> {sites.join(', ')}
          <AreaTree areas={areas} parent={areaId} />
        </li>
      ))}
    </ul>
  );
}
