import { useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventDetail } from '../../src/api/api-schema.ts';
import { type Account, exportCase } from './api-client.ts';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { ReasonForm } from './reason-form.tsx';
import { useShortcuts } from './shortcut.ts';

/** What is proved of the evidence: the node's seal, the centre's receipt, the place in the chain; and the signed archive of the case. */
export function SealPanel(props: { detail: EventDetail; account: Account; onEnded: () => void }) {
  const { detail, account, onEnded } = props;
  const { t, language } = useText();
  const [isAsking, setAsking] = useState(false);
  const { seal, evidence } = detail;
  const mayExport = seal !== undefined && isAllowed(account, MAY.exportCase);
  useShortcuts({
    x: () => {
      if (!mayExport) return false;
      setAsking(true);
      return undefined;
    },
  });
  if (evidence === undefined) return null;
  if (seal === undefined)
    return (
      <section class="facts seal">
        <h2>{t('seal.title')}</h2>
        <p class="note note-warn">{t('seal.none')}</p>
      </section>
    );
  const { chainSeq, links, lastSeq, missing } = seal;
  return (
    <section class="facts seal">
      <h2>{t('seal.title')}</h2>
      <p>
        <strong>{t('seal.held')}</strong>{' '}
        {t('seal.verified', {
          at: formatDateTime(seal.receivedAt, language),
          node: `${detail.event.site}/${detail.event.node}`,
        })}
      </p>
      <dl>
        <dt>{t('seal.sealedAt')}</dt>
        <dd>{formatDateTime(seal.sealedAt, language)}</dd>
        <dt>{t('seal.receivedAt')}</dt>
        <dd>{formatDateTime(seal.receivedAt, language)}</dd>
        <dt>{t('seal.chain')}</dt>
        <dd>{t('seal.chain.value', { chainSeq, links, lastSeq })}</dd>
        <dt>{t('seal.manifest')}</dt>
        <dd>
          <code>{seal.manifestSha256}</code>
        </dd>
      </dl>
      {missing > 0 && <p class="note note-warn">{t('seal.gaps', { missing })}</p>}
      {mayExport && isAsking && (
        <ReasonForm
          label={t('export.reason')}
          hint={t('export.hint')}
          sendText={t('export.send')}
          workingText={t('export.working')}
          send={async (reason) => {
            const { name, content } = await exportCase(detail.event.eventId, reason);
            saveFile(name, content);
          }}
          onDone={() => setAsking(false)}
          onCancel={() => setAsking(false)}
          onEnded={onEnded}
        />
      )}
      {mayExport && !isAsking && (
        <button type="button" onClick={() => setAsking(true)}>
          {t('export.open')} <kbd>X</kbd>
        </button>
      )}
    </section>
  );
}

/** Hands a file to the browser as a download. */
function saveFile(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
