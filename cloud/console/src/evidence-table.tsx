import type { EventDetail } from '../../src/api/api-schema.ts';
import { type Account, buildEvidenceUrl } from './api-client.ts';
import type { TextKey } from './dictionary.ts';
import { formatBytes } from './format.ts';
import { useText } from './language.tsx';
import { OriginalPanel } from './original-panel.tsx';

type StoredFile = NonNullable<EventDetail['evidence']>['files'][number];

function stateOf({ arrived, role, transfer }: StoredFile): TextKey {
  if (arrived) return 'evidence.arrived';
  if (transfer?.gone !== undefined) return 'evidence.gone';
  // What is derived comes by itself; an original stays on the node until it is wanted.
  const isComing =
    role !== 'clip' || transfer?.requestedAt !== undefined || transfer?.receivedBytes !== undefined;
  return isComing ? 'evidence.pending' : 'evidence.node';
}

/** Every file by its digest, and every absence with its reason. */
export function EvidenceTable(props: { detail: EventDetail; account: Account; onEnded: () => void }) {
  const { detail, account, onEnded } = props;
  const { t, language } = useText();
  const { evidence } = detail;
  return (
    <section class="evidence">
      <h2>{t('evidence.title')}</h2>
      <OriginalPanel detail={detail} account={account} onEnded={onEnded} />
      {evidence === undefined ? (
        <p>{t('evidence.none')}</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{t('evidence.role')}</th>
                <th scope="col">{t('evidence.state')}</th>
                <th scope="col">{t('evidence.size')}</th>
                <th scope="col">{t('evidence.sha')}</th>
              </tr>
            </thead>
            <tbody>
              {evidence.files.map((file) => (
                <tr key={`${file.role} ${file.sha256}`}>
                  <th scope="row">
                    {file.arrived ? (
                      <a href={buildEvidenceUrl(file.sha256)} target="_blank" rel="noreferrer">
                        {t(`media.${file.role}`)}
                      </a>
                    ) : (
                      t(`media.${file.role}`)
                    )}
                  </th>
                  <td>{t(stateOf(file))}</td>
                  <td>{formatBytes(file.sizeBytes, language)}</td>
                  <td>
                    <code>{file.sha256}</code>
                  </td>
                </tr>
              ))}
              {evidence.missing.map(({ role, reason }) => (
                <tr key={`${role} ${reason}`} class="missing">
                  <th scope="row">{t(`media.${role}`)}</th>
                  <td>{t('evidence.missing')}</td>
                  <td colSpan={2}>{reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
