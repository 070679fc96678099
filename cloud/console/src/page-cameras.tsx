import { useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { Account } from './api-client.ts';
import { CameraCard } from './camera-card.tsx';
import { useCameraPoll } from './camera-poll.ts';
import { DeliveryPanel } from './delivery-panel.tsx';
import { DirectivePanel } from './directive-panel.tsx';
import { useDirectivePoll } from './directive-poll.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';

const PERIODS = {
  '1h': { periodMs: 3_600_000, everyMs: 5_000 },
  '24h': { periodMs: 86_400_000, everyMs: 10_000 },
  '7d': { periodMs: 7 * 86_400_000, everyMs: 60_000 },
} as const;
type Period = keyof typeof PERIODS;
const PERIOD_NAMES = ['1h', '24h', '7d'] as const satisfies readonly Period[];
/** How soon another desk's declaration is seen. */
const DIRECTIVES_EVERY_MS = 3_000;
/** Columns of the timeline. */
const BUCKETS = 48;

export function CamerasPage({ account, onEnded }: { account: Account; onEnded: () => void }) {
  const { t, language } = useText();
  const [period, setPeriod] = useState<Period>('24h');
  const { periodMs, everyMs } = PERIODS[period];
  const { report, failure } = useCameraPoll({ periodMs, buckets: BUCKETS, everyMs, onEnded });
  const directives = useDirectivePoll(DIRECTIVES_EVERY_MS, onEnded);
  const mayDirect = isAllowed(account, MAY.declareDirective);
  return (
    <div class="page">
      <div class="list-head">
        <h1>{t('cameras.title')}</h1>
        <fieldset class="filters">
          <legend class="visually-hidden">{t('cameras.period')}</legend>
          {PERIOD_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={name === period} onClick={() => setPeriod(name)}>
              {t(`cameras.period.${name}`)}
            </button>
          ))}
        </fieldset>
      </div>
      {isAllowed(account, MAY.readDelivery) && <DeliveryPanel onEnded={onEnded} />}
      {failure !== undefined && <FailureNote failure={failure} />}
      {directives.failure !== undefined && failure === undefined && (
        <FailureNote failure={directives.failure} onRetry={directives.reload} />
      )}
      {report === undefined && failure === undefined && <p role="status">{t('common.loading')}</p>}
      {report !== undefined && (
        <>
          <p class="hint">
            {t('cameras.range', {
              from: formatDateTime(report.from, language),
              to: formatDateTime(report.to, language),
            })}{' '}
            · {t('common.zone')} · {t('cameras.refresh', { seconds: everyMs / 1_000 })}
          </p>
          {report.cameras.length === 0 && (
            <div class="empty">
              <p>
                <strong>{t('cameras.empty')}</strong>
              </p>
              <p>{t('cameras.empty.next')}</p>
            </div>
          )}
          <ul class="cameras">
            {report.cameras.map((camera) => (
              <CameraCard key={`${camera.site}/${camera.node}/${camera.camera}`} camera={camera}>
                <DirectivePanel
                  camera={camera}
                  directives={directives.directives.filter(
                    ({ site, node, camera: name }) =>
                      site === camera.site && node === camera.node && name === camera.camera,
                  )}
                  mayDirect={mayDirect}
                  onChanged={directives.reload}
                  onEnded={onEnded}
                />
              </CameraCard>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
