import { useMemo, useState } from 'preact/hooks';
import { Chart, type ChartMark } from './chart.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime, formatDuration } from './format.ts';
import { useText } from './language.tsx';
import { explainFinding, nameOfFinding, type SensorFinding } from './sensor-finding.ts';
import { useSensorPoll } from './sensor-poll.ts';
import {
  type ListedReading,
  nameSensor,
  type SensorCourse,
  showQuantity,
  showRange,
  showReading,
  showUnit,
} from './sensor-series.ts';
import { SensorSparkline } from './sensor-sparkline.tsx';

const PERIODS = {
  '1h': { periodMs: 3_600_000, stepMs: 60_000, everyMs: 15_000 },
  '24h': { periodMs: 86_400_000, stepMs: 15 * 60_000, everyMs: 60_000 },
  '7d': { periodMs: 7 * 86_400_000, stepMs: 2 * 3_600_000, everyMs: 300_000 },
} as const;
type Period = keyof typeof PERIODS;
const PERIOD_NAMES = ['1h', '24h', '7d'] as const satisfies readonly Period[];
/** A sensor that has not spoken for so long is named silent. */
const SILENT_MS = 15 * 60_000;
/** Sentences under the chart at most; the marks in it are all there. */
const FINDINGS_SHOWN = 8;
const QUALITY_SIGN = { good: '●', uncertain: '◐', bad: '⊘', unsaid: '?' } as const;

/** All sensors with their last reading; the chosen one with its course. */
export function SensorsPage({ onEnded }: { onEnded: () => void }) {
  const { t } = useText();
  const [period, setPeriod] = useState<Period>('24h');
  const [includeBad, setIncludeBad] = useState(false);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const { list, courses, findings, failure } = useSensorPoll({
    ...PERIODS[period],
    ...{ includeBad, chosen, onEnded },
  });
  const sensors = list?.sensors ?? [];
  const reading = sensors.find((each) => nameSensor(each) === chosen) ?? sensors[0];
  return (
    <div class="page">
      <div class="list-head">
        <h1>{t('sensors.title')}</h1>
        <fieldset class="filters">
          <legend class="visually-hidden">{t('sensors.filter')}</legend>
          {PERIOD_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={name === period} onClick={() => setPeriod(name)}>
              {t(`cameras.period.${name}`)}
            </button>
          ))}
          <label class="check">
            <input
              type="checkbox"
              class="tick"
              checked={includeBad}
              onChange={(event) => setIncludeBad(event.currentTarget.checked)}
            />{' '}
            {t('sensors.bad')}
          </label>
        </fieldset>
      </div>
      {failure !== undefined && <FailureNote failure={failure} />}
      {list === undefined && failure === undefined && <p role="status">{t('common.loading')}</p>}
      {list !== undefined && reading === undefined && (
        <div class="empty">
          <p>
            <strong>{t('sensors.empty')}</strong>
          </p>
          <p>{t('sensors.empty.next')}</p>
        </div>
      )}
      {list !== undefined && reading !== undefined && (
        <>
          <SensorFigure
            reading={reading}
            course={courses.get(nameSensor(reading))}
            findings={findings.filter((finding) => nameOfFinding(finding) === nameSensor(reading))}
          />
          <SensorTable
            {...{ sensors, courses, chosen: nameSensor(reading), nowMs: Date.parse(list.now) }}
            onChoose={setChosen}
          />
        </>
      )}
    </div>
  );
}

function SensorFigure(props: {
  reading: ListedReading;
  course: SensorCourse | undefined;
  findings: readonly SensorFinding[];
}) {
  const { reading, course, findings } = props;
  const { t, language } = useText();
  const title = `${reading.sensor}: ${showQuantity(reading.metric, language)}`;
  const lines = useMemo(() => {
    if (course === undefined) return [];
    const kinds = (['mean', 'low', 'high'] as const).filter((kind) => course[kind].length > 0);
    return kinds.map((kind) => ({ name: t(`sensors.${kind}`), values: course[kind] }));
  }, [course, t]);
  // what is drawn must not change with every poll that brings the same
  const told = JSON.stringify(findings.map(({ at, value }) => ({ at: Date.parse(at) / 1_000, value })));
  const marks = useMemo(() => JSON.parse(told) as ChartMark[], [told]);
  const isEmpty = course?.mean.every((value) => value === null) === true;
  return (
    <section class="figure" aria-label={title}>
      <div class="figure-head">
        <h2>{title}</h2>
        <span class="hint">
          {reading.site} · {reading.node} · {t('common.zone')} ·{' '}
          <span class="swatch swatch-gap" aria-hidden="true" /> {t('sensors.band')}
        </span>
      </div>
      {isEmpty && <p class="figure-none">{t('sensors.none')}</p>}
      {course !== undefined && !isEmpty && (
        <Chart {...{ lines, marks }} {...course} unit={showUnit(reading.unit)} free />
      )}
      {course !== undefined && <Findings findings={findings} />}
    </section>
  );
}

/** What was unusual, the latest first, each in one sentence. */
function Findings({ findings }: { findings: readonly SensorFinding[] }) {
  const { t, language } = useText();
  if (findings.length === 0) return <p class="hint">{t('findings.none')}</p>;
  const latest = [...findings].sort((a, b) => b.at.localeCompare(a.at)).slice(0, FINDINGS_SHOWN);
  return (
    <section aria-label={t('findings.title')}>
      <h3>
        {t('findings.title')} ({findings.length})
      </h3>
      <p class="hint">{t('findings.mark')}</p>
      <ul class="findings">
        {latest.map((finding) => (
          <li key={`${finding.at} ${finding.kind} ${finding.cause}`}>
            <strong>{formatDateTime(finding.at, language)}</strong>: {explainFinding(finding, language)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function SensorTable(props: {
  sensors: readonly ListedReading[];
  courses: ReadonlyMap<string, SensorCourse>;
  chosen: string;
  nowMs: number;
  onChoose: (name: string) => void;
}) {
  const { t, language } = useText();
  const { sensors, courses, chosen, nowMs, onChoose } = props;
  const columns = ['sensor', 'quantity', 'value', 'quality', 'at', 'course'] as const;
  return (
    <div class="scroll">
      <table class="sensors">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {t(`sensors.column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sensors.map((reading) => {
            const name = nameSensor(reading);
            const { quality = 'unsaid' } = reading;
            const range = showRange(reading, language);
            const ageMs = nowMs - Date.parse(reading.at);
            return (
              <tr key={name} data-sensor={reading.sensor} class={name === chosen ? 'chosen' : undefined}>
                <th scope="row">
                  <div class="sensor-name">
                    <button
                      type="button"
                      class="quiet"
                      aria-pressed={name === chosen}
                      onClick={() => onChoose(name)}
                    >
                      {reading.sensor}
                    </button>
                    <span class="hint">
                      {reading.site} · {reading.node}
                    </span>
                  </div>
                </th>
                <td>{showQuantity(reading.metric, language)}</td>
                <td class="number">
                  {showReading(reading, language)}
                  {range !== undefined && (
                    <div class="hint" title={t('sensors.range')}>
                      {range}
                    </div>
                  )}
                </td>
                <td>
                  <span class={`chip quality-${quality}`}>
                    <span aria-hidden="true">{QUALITY_SIGN[quality]}</span> {t(`quality.${quality}`)}
                  </span>
                </td>
                <td>
                  {formatDateTime(reading.at, language)}
                  {ageMs > SILENT_MS && (
                    <span class="hint"> {t('sensors.silent', { age: formatDuration(ageMs, language) })}</span>
                  )}
                </td>
                <td>
                  <SensorSparkline values={courses.get(name)?.mean ?? []} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
