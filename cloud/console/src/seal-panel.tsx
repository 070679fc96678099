import { useEffect, useRef, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventDetail } from '../../src/api/api-schema.ts';
import { type Account, ApiFailure, exportCase } from './api-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
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
        <ExportForm eventId={detail.event.eventId} onDone={() => setAsking(false)} onEnded={onEnded} />
      )}
      {mayExport && !isAsking && (
        <button type="button" onClick={() => setAsking(true)}>
          {t('export.open')} <kbd>X</kbd>
        </button>
      )}
    </section>
  );
}

function ExportForm(props: { eventId: string; onDone: () => void; onEnded: () => void }) {
  const { t } = useText();
  const [reason, setReason] = useState('');
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = async () => {
    if (isSending || reason.trim().length < 3) return;
    setSending(true);
    setFailure(undefined);
    try {
      const { name, content } = await exportCase(props.eventId, reason.trim());
      saveFile(name, content);
      props.onDone();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return props.onEnded();
      setFailure(error);
    } finally {
      setSending(false);
    }
  };
  return (
    <CancelForm class="original-form" onSend={send} onCancel={props.onDone}>
      <label>
        {t('export.reason')}
        <input
          ref={field}
          type="text"
          maxLength={500}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={isSending || reason.trim().length < 3}>
        {t(isSending ? 'export.working' : 'export.send')}
      </button>
      <button type="button" onClick={props.onDone}>
        {t('common.cancel')}
      </button>
      <p class="hint">{t('export.hint')}</p>
      {failure !== undefined && <FailureNote failure={failure} />}
    </CancelForm>
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
