import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ApiFailure } from './api-client.ts';
import { Chart } from './chart.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatShare } from './format.ts';
import { useText } from './language.tsx';
import {
  fetchMaskCameras,
  fetchMaskCourse,
  type MaskCameraName,
  type MaskCourse,
  nameMaskCamera,
} from './mask-series.ts';
import { askRepeatedly } from './repeated-asking.ts';

const PERIODS = {
  '1h': { periodMs: 3_600_000, stepMs: 300_000, everyMs: 30_000 },
  '24h': { periodMs: 86_400_000, stepMs: 3_600_000, everyMs: 60_000 },
  '7d': { periodMs: 7 * 86_400_000, stepMs: 6 * 3_600_000, everyMs: 300_000 },
} as const;
type Period = keyof typeof PERIODS;
const PERIOD_NAMES = ['1h', '24h', '7d'] as const satisfies readonly Period[];

interface Loaded {
  readonly cameras?: readonly MaskCameraName[];
  readonly camera?: string;
  readonly course?: MaskCourse;
  readonly failure?: ApiFailure;
}

/** Asks for the cameras that counted, and the counts of the chosen one, now and then. */
function useMasks(period: Period, chosen: string | undefined, onEnded: () => void): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({});
  useEffect(() => {
    const { periodMs, stepMs, everyMs } = PERIODS[period];
    const ask = async (signal: AbortSignal) => {
      const toMs = (Math.floor(Date.now() / stepMs) + 1) * stepMs;
      const window = { fromMs: toMs - periodMs, toMs, stepMs };
      const cameras = await fetchMaskCameras(window, signal);
      const camera = cameras.find((each) => nameMaskCamera(each) === chosen) ?? cameras[0];
      if (camera === undefined) setLoaded({ cameras });
      else {
        const course = await fetchMaskCourse(camera, window, signal);
        setLoaded({ cameras, camera: nameMaskCamera(camera), course });
      }
    };
    return askRepeatedly(ask, {
      everyMs,
      onEnded,
      onFailure: (failure) => setLoaded((before) => ({ ...before, failure })),
    });
  }, [period, chosen, onEnded]);
  return loaded;
}

/** How many people wear a mask: counts of one camera with their interval, over time and in all. */
export function MaskPanel({ onEnded }: { onEnded: () => void }) {
  const { t } = useText();
  const [period, setPeriod] = useState<Period>('24h');
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const { cameras, camera, course, failure } = useMasks(period, chosen, onEnded);
  return (
    <section class="figure" aria-label={t('masks.title')} data-masks>
      <div class="list-head">
        <h2>{t('masks.title')}</h2>
        <fieldset class="filters">
          <legend class="visually-hidden">{t('masks.filter')}</legend>
          {PERIOD_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={name === period} onClick={() => setPeriod(name)}>
              {t(`cameras.period.${name}`)}
            </button>
          ))}
          {cameras !== undefined && cameras.length > 0 && (
            <label>
              {t('masks.camera')}{' '}
              <select value={camera} onChange={(event) => setChosen(event.currentTarget.value)}>
                {cameras.map(nameMaskCamera).map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </fieldset>
      </div>
      <p class="hint">{t('masks.note')}</p>
      {failure !== undefined && <FailureNote failure={failure} />}
      {cameras === undefined && failure === undefined && <p role="status">{t('common.loading')}</p>}
      {cameras?.length === 0 && (
        <p class="figure-none">
          {t('masks.empty')} {t('masks.empty.next')}
        </p>
      )}
      {course !== undefined && <MaskFigures course={course} />}
    </section>
  );
}

function MaskFigures({ course }: { course: MaskCourse }) {
  const { t, language } = useText();
  const { times, share, low, high, gaps, total, totalShare, watched } = course;
  const lines = useMemo(
    () => [
      { name: t('masks.share'), values: share },
      { name: t('masks.low'), values: low },
      { name: t('masks.high'), values: high },
    ],
    [t, share, low, high],
  );
  const write = (value: number): string => formatShare(value, language);
  return (
    <>
      <p>
        <strong>
          {totalShare === undefined
            ? t('masks.share.none')
            : `${t('masks.share')}: ${t('masks.share.value', {
                share: write(totalShare.value),
                low: write(totalShare.low),
                high: write(totalShare.high),
                judged: total.with + total.without,
              })}`}
        </strong>
        <br />
        {t('masks.counts', total)}
        {watched !== undefined && (
          <>
            <br />
            <span class="hint">{t('masks.watched', { share: write(watched) })}</span>
          </>
        )}
      </p>
      <span class="hint">
        <span class="swatch swatch-gap" aria-hidden="true" /> {t('masks.gaps')}
      </span>
      <Chart times={times} lines={lines} gaps={gaps} unit="%" />
    </>
  );
}
