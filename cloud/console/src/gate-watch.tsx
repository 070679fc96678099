import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { FailureNote } from './failure-note.tsx';
import { formatNumber, formatTime } from './format.ts';
import { describeCheck, reasonWords } from './gate-card.tsx';
import { GateCue } from './gate-cue.tsx';
import { useText } from './language.tsx';
import {
  enterReading,
  fetchPassages,
  type GateOverview,
  type PassageAnswer,
  type ReadingRequest,
  usePoll,
} from './screening-client.ts';
import { ThermometerForm } from './thermometer-form.tsx';

const EVERY_MS = 1_000;
/** A gate tells of itself every minute. */
const SILENT_AFTER_MS = 150_000;

/** One gate for whoever stands beside it: what it shows, and its last passages with the thermometer. */
export function GateWatch(props: { gate: GateOverview; mayEnter: boolean; onEnded: () => void }) {
  const { gate, mayEnter, onEnded } = props;
  const text = useText();
  const { t } = text;
  const key = `${gate.site}/${gate.node}/${gate.gate}`;
  const { answer, failure, reload } = usePoll({
    key,
    fetch: (signal) => fetchPassages(gate, signal),
    everyMs: EVERY_MS,
    onEnded,
  });
  const [entering, setEntering] = useState<string | undefined>(undefined);
  const [place, setPlace] = useState<ReadingRequest['place']>('oral');
  const isSilent = answer === undefined || Date.now() - Date.parse(answer.heardAt) > SILENT_AFTER_MS;
  return (
    <section class="gate-watch" aria-label={gate.gate}>
      {failure !== undefined && <FailureNote failure={failure} onRetry={reload} />}
      {answer === undefined && failure === undefined && <p role="status">{t('common.loading')}</p>}
      {answer !== undefined && (
        <>
          <GateCue status={answer.status} isSilent={isSilent || failure !== undefined} />
          <p class="hint">{t('screening.private')}</p>
          <h3>{t('screening.passages')}</h3>
          {answer.items.length === 0 && <p>{t('screening.passages.none')}</p>}
          {answer.items.length > 0 && (
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('screening.at')}</th>
                    <th scope="col">{t('screening.outcome')}</th>
                    <th scope="col">{t('screening.skin')}</th>
                    <th scope="col">{t('screening.estimate')}</th>
                    <th scope="col">{t('screening.thermometer')}</th>
                  </tr>
                </thead>
                <tbody>
                  {answer.items.map((passage) => (
                    <PassageRow
                      key={passage.result.screeningId}
                      passage={passage}
                      mayEnter={mayEnter}
                      onEnter={() => setEntering(passage.result.screeningId)}
                    >
                      {entering === passage.result.screeningId ? (
                        <ThermometerForm
                          place={passage.reading?.place ?? place}
                          send={(reading) => enterReading(gate, passage.result.screeningId, reading)}
                          onDone={(used) => {
                            setPlace(used);
                            setEntering(undefined);
                            reload();
                          }}
                          onCancel={() => setEntering(undefined)}
                        />
                      ) : undefined}
                    </PassageRow>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {answer.selfChecks.length > 0 && (
            <details>
              <summary>{t('screening.check.log')}</summary>
              <ul>
                {answer.selfChecks.map((check) => (
                  <li key={check.at}>{describeCheck(text, check)}</li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </section>
  );
}

const OUTCOME_SIGN = { pass: '✓', measure: '⚠', refused: '–' } as const;

function PassageRow(props: {
  passage: PassageAnswer;
  mayEnter: boolean;
  onEnter: () => void;
  /** The form, while a reading of this passage is entered. */
  children: ComponentChildren;
}) {
  const text = useText();
  const { t, language } = text;
  const { result, reading, entryUntil } = props.passage;
  const degrees = (celsius: number | undefined, uncertainty: number | undefined): string =>
    celsius === undefined
      ? '–'
      : `${formatNumber(celsius, language, 2)} ± ${formatNumber(uncertainty ?? 0, language, 2)} °C`;
  const isOpen = Date.now() < Date.parse(entryUntil);
  return (
    <tr data-screening-id={result.screeningId} class={`passage-${result.outcome}`}>
      <td>{formatTime(result.at, language)}</td>
      <td>
        <strong>
          <span aria-hidden="true">{OUTCOME_SIGN[result.outcome]}</span>{' '}
          {t(`screening.outcome.${result.outcome}`)}
        </strong>
        {result.refusal !== undefined && ` (${reasonWords(text, result.refusal)})`}
      </td>
      <td>{degrees(result.skinC, result.skinUncertaintyC)}</td>
      <td>{degrees(result.estimateC, result.estimateUncertaintyC)}</td>
      <td>
        {reading !== undefined &&
          t('screening.entered', {
            celsius: formatNumber(reading.celsius, language, 2),
            place: t(`thermometer.${reading.place}`),
            person: reading.enteredBy,
          })}
        {props.children ??
          (props.mayEnter && result.outcome !== 'refused' && (
            <button type="button" class="quiet" disabled={!isOpen} onClick={props.onEnter}>
              {!isOpen
                ? t('screening.late')
                : t(reading === undefined ? 'screening.enter' : 'screening.correct')}
            </button>
          ))}
      </td>
    </tr>
  );
}
