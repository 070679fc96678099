import type { CameraOverview, TimelineBucket } from '../../src/api/api-schema.ts';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';

export const SHARES = ['analysed', 'degraded', 'blind', 'unreported'] as const;
type Share = (typeof SHARES)[number];

const HEIGHT = 30;
/** A blind second must be seen in a column that stands for hours. */
const LEAST_HEIGHT = 5;

interface Layer {
  readonly share: Share;
  readonly y: number;
  readonly height: number;
}

/**
 * The shares of one column from the bottom up. What was not looked at is never thinner than `LEAST_HEIGHT`; the shares
 * that are larger give way.
 */
export function stackBucket(bucket: TimelineBucket): Layer[] {
  const totalMs = SHARES.reduce((sum, share) => sum + bucket[`${share}Ms`], 0);
  if (totalMs === 0) return [];
  const parts = SHARES.flatMap((share) => {
    const exact = (bucket[`${share}Ms`] / totalMs) * HEIGHT;
    if (exact === 0) return [];
    return [{ share, height: share === 'analysed' ? exact : Math.max(LEAST_HEIGHT, exact) }];
  });
  const excess = parts.reduce((sum, { height }) => sum + height, 0) - HEIGHT;
  const largest = parts.reduce((a, b) => (b.height > a.height ? b : a));
  largest.height -= excess;
  let y = HEIGHT;
  return parts.map(({ share, height }) => {
    y -= height;
    return { share, y, height };
  });
}

/** The period in columns, oldest left; each column shows how much of its time was looked at. */
export function CoverageBar({ camera }: { camera: CameraOverview }) {
  const { t, language } = useText();
  const { timeline } = camera;
  const first = timeline[0];
  const last = timeline.at(-1);
  if (first === undefined || last === undefined) return null;
  return (
    <div class="coverage">
      <svg viewBox={`0 0 ${timeline.length} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>{t('cameras.timeline', { camera: camera.camera })}</title>
        {timeline.map((bucket, index) =>
          stackBucket(bucket).map(({ share, y, height }) => (
            <rect key={share} class={`share-${share}`} x={index} y={y} width={1.02} height={height} />
          )),
        )}
      </svg>
      <div class="coverage-scale" aria-hidden="true">
        <span>{formatDateTime(first.from, language)}</span>
        <span>{formatDateTime(last.to, language)}</span>
      </div>
    </div>
  );
}
