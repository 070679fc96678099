import { useEffect, useMemo, useState } from 'preact/hooks';
import type { CameraReport } from '../../src/api/api-schema.ts';
import { type ApiFailure, fetchCameras } from './api-client.ts';
import { Chart, type ChartGap, type ChartLine } from './chart.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime, formatNumber } from './format.ts';
import { useText } from './language.tsx';
import { askRepeatedly } from './repeated-asking.ts';
import { fetchTraffic, listGaps, type TrafficFigures } from './traffic-data.ts';

const PERIODS = {
  '1h': { periodMs: 3_600_000, stepMs: 60_000, everyMs: 15_000 },
  '24h': { periodMs: 86_400_000, stepMs: 15 * 60_000, everyMs: 60_000 },
  '7d': { periodMs: 7 * 86_400_000, stepMs: 2 * 3_600_000, everyMs: 300_000 },
} as const;
type Period = keyof typeof PERIODS;
const PERIOD_NAMES = ['1h', '24h', '7d'] as const satisfies readonly Period[];
/** Of the ledger, for the shading: what the API gives at most, but no finer than the figures. */
const BUCKETS = 96;
const NO_GAPS: readonly ChartGap[] = [];

interface Choice {
  readonly camera?: string;
  readonly tripwire?: string;
  readonly period: Period;
}

interface Loaded {
  readonly report?: CameraReport;
  readonly camera?: string;
  readonly figures?: TrafficFigures;
  readonly failure?: ApiFailure;
}

/** Loads the figures of the chosen camera, the first one where none is chosen, and again and again. */
function useTraffic({ camera: chosen, tripwire, period }: Choice, onEnded: () => void): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({});
  useEffect(() => {
    const { periodMs, stepMs, everyMs } = PERIODS[period];
    const ask = async (signal: AbortSignal) => {
      // whole steps that have ended: a step that still runs would look like a fall
      const toMs = Math.floor(Date.now() / stepMs) * stepMs;
      const window = { fromMs: toMs - periodMs, toMs };
      const report = await fetchCameras({ ...window, buckets: BUCKETS, signal });
      const camera = chosen ?? report.cameras[0]?.camera;
      if (camera === undefined) setLoaded({ report });
      else {
        const request = { camera, ...window, stepMs, ...(tripwire === undefined ? {} : { tripwire }) };
        setLoaded({ report, camera, figures: await fetchTraffic(request, signal) });
      }
    };
    return askRepeatedly(ask, {
      everyMs,
      onEnded,
      onFailure: (failure) => setLoaded((before) => ({ ...before, failure })),
    });
  }, [chosen, tripwire, period, onEnded]);
  return loaded;
}

export function TrafficPage({ onEnded }: { onEnded: () => void }) {
  const { t, language } = useText();
  const [choice, setChoice] = useState<Choice>({ period: '24h' });
  const { report, camera, figures, failure } = useTraffic(choice, onEnded);
  const timeline = report?.cameras.find((known) => known.camera === camera)?.timeline;
  const gaps = useMemo(() => (timeline === undefined ? NO_GAPS : listGaps(timeline)), [timeline]);
  return (
    <div class="page">
      <div class="list-head">
        <h1>{t('traffic.title')}</h1>
        <fieldset class="filters">
          <legend class="visually-hidden">{t('traffic.filter')}</legend>
          <label>
            {t('events.filter.camera')}
            <select
              name="camera"
              value={camera ?? ''}
              onChange={(event) => setChoice({ period: choice.period, camera: event.currentTarget.value })}
            >
              {(report?.cameras ?? []).map((known) => (
                <option key={`${known.site}/${known.node}/${known.camera}`} value={known.camera}>
                  {known.camera}
                </option>
              ))}
            </select>
          </label>
          {PERIOD_NAMES.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === choice.period}
              onClick={() => setChoice({ ...choice, period: name })}
            >
              {t(`cameras.period.${name}`)}
            </button>
          ))}
        </fieldset>
      </div>
      {failure !== undefined && <FailureNote failure={failure} />}
      {figures === undefined && failure === undefined && report?.cameras.length !== 0 && (
        <p role="status">{t('common.loading')}</p>
      )}
      {report !== undefined && (
        <p class="hint">
          {t('cameras.range', {
            from: formatDateTime(report.from, language),
            to: formatDateTime(report.to, language),
          })}{' '}
          · {t('common.zone')} · <span class="swatch swatch-gap" aria-hidden="true" /> {t('traffic.gap')}
        </p>
      )}
      {report?.cameras.length === 0 && (
        <div class="empty">
          <p>
            <strong>{t('cameras.empty')}</strong>
          </p>
          <p>{t('cameras.empty.next')}</p>
        </div>
      )}
      {figures !== undefined && (
        <TrafficCharts
          figures={figures}
          gaps={gaps}
          stepMs={PERIODS[choice.period].stepMs}
          onTripwire={(tripwire) => setChoice({ ...choice, tripwire })}
        />
      )}
    </div>
  );
}

function TrafficCharts(props: {
  figures: TrafficFigures;
  gaps: readonly ChartGap[];
  stepMs: number;
  onTripwire: (tripwire: string) => void;
}) {
  const { t, nameOf } = useText();
  const { figures, gaps, stepMs, onTripwire } = props;
  const { times, tripwires, tripwire } = figures;
  const counts = useMemo(
    () => figures.counts.map((line) => ({ ...line, name: nameOf('label', line.name) })),
    [figures.counts, nameOf],
  );
  const queue = useMemo(
    () =>
      figures.queue.map(({ name, values }) => {
        const [zone = '', kind] = name.split('|');
        return { name: t(kind === 'max' ? 'traffic.queue.max' : 'traffic.queue.mean', { zone }), values };
      }),
    [figures.queue, t],
  );
  const shared = { times, gaps, stepMs };
  return (
    <div class="charts">
      <Figure title={t('traffic.counts')} needs="count" lines={counts} unit="" stepped {...shared}>
        {tripwires.length > 1 && (
          <label class="inline">
            {t('traffic.tripwire')}
            <select value={tripwire} onChange={(event) => onTripwire(event.currentTarget.value)}>
              {tripwires.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {tripwires.length === 1 && <span class="hint">{tripwire}</span>}
      </Figure>
      <Figure title={t('traffic.flow')} needs="zone" lines={figures.flow} unit="" {...shared} />
      <Figure title={t('traffic.speed')} needs="speed" lines={figures.speed} unit="km/h" {...shared} />
      <Figure title={t('traffic.occupancy')} needs="zone" lines={figures.occupancy} unit="%" {...shared} />
      <Figure title={t('traffic.queue')} needs="zone" lines={queue} unit="" {...shared} />
      <TurningMatrix turnings={figures.turnings} stepMs={stepMs} />
    </div>
  );
}

/** What a figure needs of the scene; from when on it shows. */
function NoFigures({ needs, stepMs }: { needs: 'count' | 'zone' | 'speed' | 'turning'; stepMs: number }) {
  const { t } = useText();
  const minutes = String(stepMs / 60_000);
  return <p class="figure-none">{t('traffic.none', { needs: t(`traffic.needs.${needs}`), minutes })}</p>;
}

function Figure(props: {
  title: string;
  needs: 'count' | 'zone' | 'speed';
  stepMs: number;
  lines: readonly ChartLine[];
  times: readonly number[];
  gaps: readonly ChartGap[];
  unit: string;
  stepped?: boolean;
  children?: preact.ComponentChildren;
}) {
  const { title, needs, stepMs, lines, times, gaps, unit, stepped = false, children } = props;
  return (
    <section class="figure" aria-label={title}>
      <div class="figure-head">
        <h2>{title}</h2>
        {children}
      </div>
      {lines.length === 0 ? (
        <NoFigures needs={needs} stepMs={stepMs} />
      ) : (
        <Chart times={times} lines={lines} gaps={gaps} unit={unit} stepped={stepped} />
      )}
    </section>
  );
}

function TurningMatrix({ turnings, stepMs }: { turnings: TrafficFigures['turnings']; stepMs: number }) {
  const { t, language } = useText();
  const exits = [...new Set(turnings.flatMap(({ exits: counts }) => Object.keys(counts)))].sort();
  const most = Math.max(1, ...turnings.flatMap(({ exits: counts }) => Object.values(counts)));
  return (
    <section class="figure" aria-label={t('traffic.turning')}>
      <div class="figure-head">
        <h2>{t('traffic.turning')}</h2>
        <span class="hint">{t('traffic.turning.period')}</span>
      </div>
      {turnings.length === 0 ? (
        <NoFigures needs="turning" stepMs={stepMs} />
      ) : (
        <div class="scroll">
          <table class="turnings">
            <thead>
              <tr>
                <th scope="col">{t('traffic.turning.corner')}</th>
                {exits.map((exit) => (
                  <th key={exit} scope="col">
                    {exit}
                  </th>
                ))}
                <th scope="col">{t('traffic.turning.sum')}</th>
              </tr>
            </thead>
            <tbody>
              {turnings.map(({ entry, exits: counts }) => (
                <tr key={entry}>
                  <th scope="row">{entry}</th>
                  {exits.map((exit) => (
                    <td key={exit} style={{ '--share': String((counts[exit] ?? 0) / most) }}>
                      {formatNumber(counts[exit] ?? 0, language, 0)}
                    </td>
                  ))}
                  <td>
                    <strong>
                      {formatNumber(
                        Object.values(counts).reduce((sum, count) => sum + count, 0),
                        language,
                        0,
                      )}
                    </strong>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
