import { useState } from 'preact/hooks';
import type { EventDetail } from '../../src/api/api-schema.ts';
import { buildEvidenceUrl } from './api-client.ts';
import { formatPreciseTime } from './format.ts';
import { useText } from './language.tsx';
import type { StoredFile } from './media-viewer.tsx';

/** Zoomed in, the subject takes up about this much of the picture. */
const ZOOMED_SHARE = 0.55;
const MAX_ZOOM = 8;

function computeZoom([x1, y1, x2, y2]: readonly [number, number, number, number]): number {
  return Math.min(MAX_ZOOM, Math.max(1.5, ZOOMED_SHARE / Math.max(x2 - x1, y2 - y1, 1e-3)));
}

/** The origin of a scaling that brings the point to the middle of the picture, as far as its edges allow. */
function computeOrigin(centre: number, zoom: number): number {
  return Math.min(1, Math.max(0, (centre * zoom - 0.5) / (zoom - 1)));
}

/** A still as large as it fits; with the subject marked where it is the decisive one. */
export function StillView(props: {
  detail: EventDetail;
  file: StoredFile;
  isMarked: boolean;
  isZoomed: boolean;
}) {
  const { t, language } = useText();
  const { detail, file, isMarked, isZoomed } = props;
  const [isBroken, setBroken] = useState(false);
  const { event } = detail;
  if (isBroken) return <p class="stage-words">{t('media.brokenImage')}</p>;
  const [x1, y1, x2, y2] = event.subject.box;
  const zoom = computeZoom(event.subject.box);
  const origin = [(x1 + x2) / 2, (y1 + y2) / 2]
    .map((centre) => `${computeOrigin(centre, zoom) * 100}%`)
    .join(' ');
  const alt = t('media.alt', {
    role: t(`media.${file.role}`),
    kind: t(`kind.${event.kind}`),
    camera: event.camera,
    time: formatPreciseTime(file.capturedAt, language),
  });
  return (
    <div class="still" style={{ aspectRatio: `${file.width} / ${file.height}` }}>
      <div
        class="still-plane"
        style={{ transform: isZoomed ? `scale(${zoom})` : 'none', transformOrigin: origin }}
        data-zoomed={isZoomed}
      >
        <img src={buildEvidenceUrl(file.sha256)} alt={alt} onError={() => setBroken(true)} />
        {file.role === 'still-at' && isMarked && <SubjectMark detail={detail} />}
      </div>
      <span class="still-time">{formatPreciseTime(file.capturedAt, language)}</span>
    </div>
  );
}

/** The subject's box, its occupants and its point on the ground, over the decisive frame. */
function SubjectMark({ detail }: { detail: EventDetail }) {
  const { t } = useText();
  const { frame, subject } = detail.event;
  const { width, height } = frame;
  const [x, y] = subject.groundPoint;
  const cross = Math.max(width, height) / 110;
  return (
    <svg class="mark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
      <title>{t('media.overlayAlt')}</title>
      <WireRect className="mark-shade" box={subject.box} width={width} height={height} />
      <WireRect className="mark-box" box={subject.box} width={width} height={height} />
      {subject.occupants.map(({ box }) => (
        <WireRect key={box.join()} className="mark-occupant" box={box} width={width} height={height} />
      ))}
      <path
        class="mark-ground"
        d={`M${x * width - cross} ${y * height}h${2 * cross}M${x * width} ${y * height - cross}v${2 * cross}`}
      />
      <circle class="mark-ground" cx={x * width} cy={y * height} r={cross * 0.6} />
    </svg>
  );
}

function WireRect(props: {
  className: string;
  box: readonly [number, number, number, number];
  width: number;
  height: number;
}) {
  const { className, box, width, height } = props;
  const [x1, y1, x2, y2] = box;
  return (
    <rect
      class={className}
      x={x1 * width}
      y={y1 * height}
      width={(x2 - x1) * width}
      height={(y2 - y1) * height}
    />
  );
}
