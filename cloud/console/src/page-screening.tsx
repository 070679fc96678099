import { useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { Account } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { GateCard } from './gate-card.tsx';
import { GateWatch } from './gate-watch.tsx';
import { useText } from './language.tsx';
import { MaskPanel } from './mask-panel.tsx';
import { fetchGates, usePoll } from './screening-client.ts';

const EVERY_MS = 5_000;

/** Fever gates: as machines with counts for everybody here, and one of them watched by who may see single passages. */
export function ScreeningPage({ account, onEnded }: { account: Account; onEnded: () => void }) {
  const { t } = useText();
  const [watched, setWatched] = useState<string | undefined>(undefined);
  const { answer, failure, reload } = usePoll({
    key: 'gates',
    fetch: fetchGates,
    everyMs: EVERY_MS,
    onEnded,
  });
  const mayWatch = isAllowed(account, MAY.readScreening);
  const mayEnter = isAllowed(account, MAY.enterThermometer);
  return (
    <div class="page">
      <h1>{t('screening.title')}</h1>
      <p class="note note-warn" role="note">
        <strong>{t('screening.notDevice')}</strong>
      </p>
      {failure !== undefined && <FailureNote failure={failure} onRetry={reload} />}
      {answer === undefined && failure === undefined && <p role="status">{t('common.loading')}</p>}
      {answer?.gates.length === 0 && (
        <div class="empty">
          <p>
            <strong>{t('screening.empty')}</strong>
          </p>
          <p>{t('screening.empty.next')}</p>
        </div>
      )}
      <ul class="cameras">
        {answer?.gates.map((gate) => {
          const name = `${gate.site}/${gate.node}/${gate.gate}`;
          const isWatched = watched === name;
          return (
            <GateCard key={name} gate={gate} feverFromC={answer.feverFromC}>
              {mayWatch && (
                <button
                  type="button"
                  class="gate-button"
                  aria-pressed={isWatched}
                  onClick={() => setWatched(isWatched ? undefined : name)}
                >
                  {t(isWatched ? 'screening.unwatch' : 'screening.watch')}
                </button>
              )}
              {mayWatch && isWatched && <GateWatch gate={gate} mayEnter={mayEnter} onEnded={onEnded} />}
            </GateCard>
          );
        })}
      </ul>
      <MaskPanel onEnded={onEnded} />
    </div>
  );
}
