import { useCallback, useEffect, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { OpeningList, OpeningStatus } from '../../src/api/opening-schema.ts';
import { type Account, ApiFailure, decideOpening, fetchOpenings, requestOpening } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { ReasonForm } from './reason-form.tsx';

/** While somebody waits for a second person it is asked this often whether that one has decided, ms. */
const POLL_EVERY_MS = 4_000;

export interface Openings {
  readonly list: OpeningList | undefined;
  readonly failure: ApiFailure | undefined;
  readonly reload: () => void;
}

/** Who may see the original of a case, and who asked; looked at only while `isWanted`. */
export function useOpenings(eventId: string, isWanted: boolean): Openings {
  const [list, setList] = useState<OpeningList | undefined>(undefined);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const reload = useCallback(async () => {
    try {
      setList(await fetchOpenings(eventId));
      setFailure(undefined);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setFailure(error);
    }
  }, [eventId]);
  useEffect(() => setList(undefined), [eventId]);
  const isChanging = list?.items.some(({ state }) => state === 'waiting' || state === 'open') ?? false;
  useEffect(() => {
    if (!isWanted) return;
    void reload();
    if (!isChanging) return;
    const timer = setInterval(() => void reload(), POLL_EVERY_MS);
    return () => clearInterval(timer);
  }, [isWanted, isChanging, reload]);
  return { list, failure, reload: () => void reload() };
}

/** In place of the original: why it is closed, a way to ask for it, who waits, and who has opened it before. */
export function OpeningPanel(props: { eventId: string; account: Account; openings: Openings }) {
  const { eventId, account, openings } = props;
  const { t } = useText();
  const [isAsking, setAsking] = useState(false);
  const { list, failure, reload } = openings;
  return (
    <section class="stage-words opening" aria-label={t('opening.title')}>
      <p>{t('opening.sealed')}</p>
      {failure !== undefined && <FailureNote failure={failure} onRetry={reload} />}
      {!isAsking && isAllowed(account, MAY.requestOriginal) && (
        <button type="button" class="primary" onClick={() => setAsking(true)}>
          {t('opening.ask')}
        </button>
      )}
      {isAsking && (
        <ReasonForm
          label={t('opening.reason')}
          hint={list?.needsSecondPerson === true ? t('opening.second') : undefined}
          send={(reason) => requestOpening(eventId, reason)}
          sendText={t('opening.send')}
          onDone={() => {
            setAsking(false);
            reload();
          }}
          onCancel={() => setAsking(false)}
        />
      )}
      {list !== undefined && list.items.length > 0 && (
        <ol class="opening-list">
          {list.items.map((opening) => (
            <OpeningItem key={opening.openingId} opening={opening} account={account} onDecided={reload} />
          ))}
        </ol>
      )}
    </section>
  );
}

function OpeningItem(props: { opening: OpeningStatus; account: Account; onDecided: () => void }) {
  const { opening, account, onDecided } = props;
  const { t, language } = useText();
  const [decision, setDecision] = useState<'granted' | 'refused' | undefined>(undefined);
  const { state, requestedBy, requestedAt, reason, decidedBy, openUntil, eventId, openingId } = opening;
  const mayDecide = isAllowed(account, MAY.overruleCase);
  const isOwn = requestedBy === account.username;
  return (
    <li>
      <strong>{t(`opening.state.${state}`)}</strong>{' '}
      {t('opening.asked', { person: requestedBy, time: formatDateTime(Date.parse(requestedAt), language) })}:
      “{reason}”{decidedBy !== undefined && <> · {t('opening.decided', { person: decidedBy })}</>}
      {state === 'open' && openUntil !== undefined && (
        <> · {t('opening.until', { time: formatDateTime(Date.parse(openUntil), language) })}</>
      )}
      {state === 'waiting' && mayDecide && isOwn && <p class="hint">{t('opening.own')}</p>}
      {state === 'waiting' && mayDecide && !isOwn && decision === undefined && (
        <div class="decision-keys">
          <button type="button" onClick={() => setDecision('granted')}>
            {t('opening.grant')}
          </button>
          <button type="button" class="quiet" onClick={() => setDecision('refused')}>
            {t('opening.refuse')}
          </button>
        </div>
      )}
      {decision !== undefined && (
        <ReasonForm
          label={t('opening.decisionReason')}
          send={(text) => decideOpening({ eventId, openingId }, decision, text)}
          sendText={t(decision === 'granted' ? 'opening.grant' : 'opening.refuse')}
          onDone={() => {
            setDecision(undefined);
            onDecided();
          }}
          onCancel={() => setDecision(undefined)}
        />
      )}
    </li>
  );
}
