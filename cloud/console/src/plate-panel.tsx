import type { PlateFinding } from '@ngatu/contract';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { EventDetail } from '../../src/api/api-schema.ts';
import type { PlateJudgement, PlateStatus } from '../../src/api/plate-schema.ts';
import { type Account, ApiFailure, buildEvidenceUrl } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime, formatShare } from './format.ts';
import { useText } from './language.tsx';
import { fetchPlate, judgePlate } from './plate-client.ts';
import { ReasonForm } from './reason-form.tsx';

type Verdict = PlateJudgement['verdict'];

interface Plate {
  readonly status?: PlateStatus;
  readonly failure?: ApiFailure;
}

/** Loads the plate when the case is opened and when its manifest comes: each look is recorded, so it is not asked for more often. */
function usePlate(detail: EventDetail): Plate & { reload: () => void; show: (status: PlateStatus) => void } {
  const { eventId } = detail.event;
  const manifestAt = detail.evidence?.createdAt;
  const [plate, setPlate] = useState<Plate>({});
  const request = useRef<AbortController | undefined>(undefined);
  const load = useCallback(async () => {
    request.current?.abort();
    const own = new AbortController();
    request.current = own;
    try {
      setPlate({ status: await fetchPlate(eventId, own.signal) });
    } catch (error) {
      if (own.signal.aborted) return;
      if (!(error instanceof ApiFailure)) throw error;
      setPlate({ failure: error });
    }
  }, [eventId, manifestAt]);
  useEffect(() => {
    void load();
    return () => request.current?.abort();
  }, [load]);
  return { ...plate, reload: () => void load(), show: (status) => setPlate({ status }) };
}

/** What stands on the plate: what persons said of it, else what the node read. */
function describeStanding({ finding, judgements }: PlateStatus) {
  const last = judgements.at(-1);
  if (last !== undefined) return { state: last.verdict, text: last.text } as const;
  return finding === undefined
    ? undefined
    : ({ state: finding.state, text: finding.shown ?? finding.text } as const);
}

/** The plate of a case: the crop, what was read on it and how surely, what persons said, and a way to say it. */
export function PlatePanel({ detail, account }: { detail: EventDetail; account: Account }) {
  const { t } = useText();
  const { status, failure, reload, show } = usePlate(detail);
  const standing = status === undefined ? undefined : describeStanding(status);
  return (
    <section class="facts plate" aria-label={t('plate.title')}>
      <h2>{t('plate.title')}</h2>
      {failure !== undefined && <FailureNote failure={failure} onRetry={reload} />}
      <PlateCrop detail={detail} />
      {status !== undefined && standing === undefined && <p class="hint">{t('plate.none')}</p>}
      {standing !== undefined && (
        <p>
          {standing.text !== undefined && <strong class="plate-text">{standing.text}</strong>}{' '}
          <span class={`chip plate-${standing.state}`}>{t(`plate.state.${standing.state}`)}</span>
        </p>
      )}
      {status?.finding !== undefined && <Finding finding={status.finding} />}
      {status !== undefined && status.judgements.length > 0 && <History judgements={status.judgements} />}
      {status !== undefined && isAllowed(account, MAY.judgePlate) && detail.event.letPass === undefined && (
        <Judging detail={detail} status={status} onJudged={show} onConflict={reload} />
      )}
    </section>
  );
}

function PlateCrop({ detail }: { detail: EventDetail }) {
  const { t } = useText();
  const files = detail.evidence?.files ?? [];
  const crop = files.find(({ role }) => role === 'plate-crop');
  const frame = files.find(({ role }) => role === 'plate-frame');
  if (crop === undefined) return null;
  if (!crop.arrived) return <p class="hint">{t('plate.waiting')}</p>;
  return (
    <p class="plate-crop">
      <img
        src={buildEvidenceUrl(crop.sha256)}
        alt={t('plate.crop')}
        width={crop.width}
        height={crop.height}
      />
      {frame?.arrived === true && (
        <a href={buildEvidenceUrl(frame.sha256)} target="_blank" rel="noreferrer">
          {t('plate.frame')}
        </a>
      )}
    </p>
  );
}

function Finding({ finding }: { finding: PlateFinding }) {
  const { t, language } = useText();
  const { state, reason, text, shown, confidence, characters, alternatives, looks, frames } = finding;
  const percent = (share: number) => formatShare(share, language);
  return (
    <>
      <p>
        {t('plate.machine', { text: shown ?? text ?? '–', state: t(`plate.state.${state}`) })}
        {confidence !== undefined && <> · {t('plate.confidence', { share: percent(confidence) })}</>}
      </p>
      {reason !== undefined && <p class="hint">{t(`plate.reason.${reason}`)}</p>}
      {characters.length > 0 && (
        <table class="plate-signs">
          <caption class="visually-hidden">{t('plate.characters')}</caption>
          <tbody>
            <tr>
              <th scope="row">{t('plate.character')}</th>
              {characters.map(({ character }, index) => (
                <td key={`${index} ${character}`}>{character}</td>
              ))}
            </tr>
            <tr>
              <th scope="row">{t('plate.sure')}</th>
              {characters.map(({ character, confidence: share }, index) => (
                <td key={`${index} ${character}`}>{percent(share)}</td>
              ))}
            </tr>
            <tr>
              <th scope="row">{t('plate.could')}</th>
              {characters.map(({ character, alternatives: others }, index) => (
                <td key={`${index} ${character}`}>
                  {others.slice(0, 2).map((other) => (
                    <span key={other.character}>
                      {other.character} {percent(other.confidence)}
                    </span>
                  ))}
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      )}
      {alternatives.length > 0 && (
        <p>
          {t('plate.alternatives', {
            texts: alternatives.map((other) => `${other.text} (${percent(other.confidence)})`).join(', '),
          })}
        </p>
      )}
      {frames > 0 && <p class="hint">{t('plate.looks', { looks, frames })}</p>}
    </>
  );
}

function History({ judgements }: { judgements: readonly PlateJudgement[] }) {
  const { t, language } = useText();
  return (
    <ol class="history" aria-label={t('plate.history')}>
      {judgements.map(({ verdict, text, reason, judgedBy, judgedAt }) => (
        <li key={judgedAt}>
          <strong>
            {t('plate.entry', {
              person: judgedBy,
              verdict: t(`plate.state.${verdict}`),
              text: text ?? '',
              time: formatDateTime(judgedAt, language),
            })}
          </strong>
          <br />
          {reason}
        </li>
      ))}
    </ol>
  );
}

function Judging(props: {
  detail: EventDetail;
  status: PlateStatus;
  onJudged: (status: PlateStatus) => void;
  onConflict: () => void;
}) {
  const { detail, status, onJudged, onConflict } = props;
  const { t } = useText();
  const [verdict, setVerdict] = useState<Verdict | undefined>(undefined);
  const [text, setText] = useState('');
  const canConfirm = (status.judgements.at(-1)?.text ?? status.finding?.text) !== undefined;
  const send = async (reason: string) => {
    if (verdict === undefined) return;
    const said = verdict === 'corrected' ? { text } : {};
    const expectedJudgements = status.judgements.length;
    try {
      onJudged(await judgePlate(detail.event.eventId, { verdict, reason, expectedJudgements, ...said }));
    } catch (error) {
      if (error instanceof ApiFailure && error.code === 'PLATE_CONFLICT') onConflict();
      throw error;
    }
  };
  if (verdict === undefined) {
    return (
      <div class="decision-keys">
        {canConfirm && (
          <button type="button" onClick={() => setVerdict('confirmed')}>
            {t('plate.confirm')}
          </button>
        )}
        <button type="button" onClick={() => setVerdict('corrected')}>
          {t('plate.correct')}
        </button>
        <button type="button" class="quiet" onClick={() => setVerdict('unreadable')}>
          {t('plate.giveUp')}
        </button>
      </div>
    );
  }
  return (
    <ReasonForm
      key={verdict}
      label={t('plate.why')}
      hint={t('plate.why.hint')}
      sendText={t(`plate.send.${verdict}`)}
      send={send}
      onDone={() => setVerdict(undefined)}
      onCancel={() => setVerdict(undefined)}
    >
      {verdict === 'corrected' && (
        <label>
          {t('plate.text')}
          <input
            class="plate-input"
            value={text}
            required
            minLength={4}
            maxLength={24}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      )}
    </ReasonForm>
  );
}
