import { useCallback, useEffect, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { Hold } from '../../src/api/hold-schema.ts';
import { type Account, ApiFailure, fetchHolds, liftHold, placeHold } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { ReasonForm } from './reason-form.tsx';

/** Whether the case is kept from being deleted, by whom and why; supervisors place and lift holds here. */
export function HoldPanel({ eventId, account }: { eventId: string; account: Account }) {
  const { t } = useText();
  const [holds, setHolds] = useState<readonly Hold[] | undefined>(undefined);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const [isPlacing, setPlacing] = useState(false);
  const reload = useCallback(async () => {
    try {
      setHolds((await fetchHolds(eventId)).items);
      setFailure(undefined);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setFailure(error);
    }
  }, [eventId]);
  useEffect(() => void reload(), [reload]);
  const mayGovern = isAllowed(account, MAY.governData);
  const isHeld = holds?.some(({ liftedAt }) => liftedAt === undefined) ?? false;
  return (
    <section class="facts holds">
      <h2>{t('hold.title')}</h2>
      {failure !== undefined && <FailureNote failure={failure} onRetry={() => void reload()} />}
      {holds !== undefined && <p>{isHeld ? <strong>{t('hold.held')}</strong> : t('hold.none')}</p>}
      {holds !== undefined && holds.length > 0 && (
        <ul>
          {holds.map((hold) => (
            <HoldItem key={hold.holdId} hold={hold} mayLift={mayGovern} onLifted={() => void reload()} />
          ))}
        </ul>
      )}
      {mayGovern && holds !== undefined && !isPlacing && (
        <button type="button" onClick={() => setPlacing(true)}>
          {t('hold.place')}
        </button>
      )}
      {isPlacing && (
        <ReasonForm
          label={t('hold.reason')}
          sendText={t('hold.place')}
          send={(reason) => placeHold(eventId, reason)}
          onDone={() => {
            setPlacing(false);
            void reload();
          }}
          onCancel={() => setPlacing(false)}
        />
      )}
    </section>
  );
}

function HoldItem({ hold, mayLift, onLifted }: { hold: Hold; mayLift: boolean; onLifted: () => void }) {
  const { t, language } = useText();
  const [isLifting, setLifting] = useState(false);
  const { reason, placedBy, placedAt, liftedBy, liftedAt, liftReason } = hold;
  const timeOf = (at: string) => formatDateTime(at, language);
  return (
    <li>
      “{reason}” · {t('hold.placed', { person: placedBy, time: timeOf(placedAt) })}
      {liftedBy !== undefined && liftedAt !== undefined && (
        <>
          {' '}
          · {t('hold.lifted', { person: liftedBy, time: timeOf(liftedAt) })}: “{liftReason}”
        </>
      )}{' '}
      {mayLift && liftedAt === undefined && !isLifting && (
        <button type="button" class="quiet" onClick={() => setLifting(true)}>
          {t('hold.lift')}
        </button>
      )}
      {isLifting && (
        <ReasonForm
          label={t('hold.reason')}
          sendText={t('hold.lift')}
          send={(text) => liftHold(hold, text)}
          onDone={() => {
            setLifting(false);
            onLifted();
          }}
          onCancel={() => setLifting(false)}
        />
      )}
    </li>
  );
}
