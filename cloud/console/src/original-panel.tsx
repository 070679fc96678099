import { useEffect, useRef, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventDetail } from '../../src/api/api-schema.ts';
import type { OriginalStatus } from '../../src/api/original-schema.ts';
import { type Account, fetchOriginals, requestOriginal } from './api-client.ts';
import { formatBytes, formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { ReasonForm } from './reason-form.tsx';
import { useShortcuts } from './shortcut.ts';

type Original = OriginalStatus['files'][number];

/** While an original travels its progress is asked for this often, ms. */
const POLL_EVERY_MS = 2_000;

function isTravelling({ arrived, transfer }: Original): boolean {
  return !arrived && transfer?.requestedAt !== undefined && transfer.gone === undefined;
}

/** Where the originals are; asked again while one is on its way. */
function useOriginals(detail: EventDetail): {
  files: readonly Original[];
  setFiles: (files: readonly Original[]) => void;
} {
  const told = detail.evidence?.files.filter(({ role }) => role === 'clip') ?? [];
  const [files, setFiles] = useState<readonly Original[]>(told);
  const state = told.map(({ arrived, transfer }) => `${arrived} ${transfer?.requestedAt}`).join();
  const newest = useRef(told);
  newest.current = told;
  useEffect(() => setFiles(newest.current), [state]);
  const { eventId } = detail.event;
  const isOnItsWay = files.some(isTravelling);
  useEffect(() => {
    if (!isOnItsWay) return;
    const own = new AbortController();
    const timer = setInterval(() => {
      fetchOriginals(eventId, own.signal).then(
        (status) => setFiles(status.files),
        // The next look tells; what ends the session is seen by everything else on the page.
        () => undefined,
      );
    }, POLL_EVERY_MS);
    return () => {
      clearInterval(timer);
      own.abort();
    };
  }, [eventId, isOnItsWay]);
  return { files, setFiles };
}

/** The sealed original: where it is, how much of it has come, and a way to fetch it with a reason. */
export function OriginalPanel(props: { detail: EventDetail; account: Account; onEnded: () => void }) {
  const { detail, account, onEnded } = props;
  const { t } = useText();
  const { files, setFiles } = useOriginals(detail);
  const [isAsking, setAsking] = useState(false);
  const absent = files.filter(({ arrived }) => !arrived);
  const canAsk = isAllowed(account, MAY.requestOriginal) && absent.some((file) => !isTravelling(file));
  useShortcuts({
    f: () => {
      if (!canAsk) return false;
      setAsking(true);
      return undefined;
    },
  });
  if (absent.length === 0) return null;
  return (
    <div class="original">
      {absent.map((file) => (
        <OriginalState key={file.sha256} file={file} />
      ))}
      {canAsk && !isAsking && (
        <button type="button" onClick={() => setAsking(true)}>
          {t('original.fetch')} <kbd>F</kbd>
        </button>
      )}
      {isAsking && (
        <ReasonForm
          label={t('original.reason')}
          sendText={t('original.send')}
          send={async (reason) => setFiles((await requestOriginal(detail.event.eventId, reason)).files)}
          onDone={() => setAsking(false)}
          onCancel={() => setAsking(false)}
          onEnded={onEnded}
        />
      )}
    </div>
  );
}

function OriginalState({ file }: { file: Original }) {
  const { t, language } = useText();
  const { transfer, sizeBytes } = file;
  const size = formatBytes(sizeBytes, language);
  if (transfer?.gone !== undefined) {
    const { reason, at } = transfer.gone;
    return (
      <p role="status">
        {t('original.gone', { reason: t(`original.gone.${reason}`), at: formatDateTime(at, language) })}
      </p>
    );
  }
  if (!isTravelling(file)) return <p role="status">{t('original.node', { size })}</p>;
  const received = transfer?.receivedBytes ?? 0;
  const share = Math.min(100, Math.floor((100 * received) / sizeBytes));
  return (
    <p role="status">
      {t('original.coming', { share, received: formatBytes(received, language), size })}{' '}
      <progress max={sizeBytes} value={received} aria-label={t('original.progress')} />
    </p>
  );
}
