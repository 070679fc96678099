import type { ComponentChildren } from 'preact';
import type { CameraOverview } from '../../src/api/api-schema.ts';
import { StateChip } from './chip.tsx';
import { CoverageBar, SHARES } from './coverage-bar.tsx';
import { formatDateTime, formatDuration, formatShare } from './format.ts';
import { type Text, useText } from './language.tsx';
import { ReadinessPanel } from './readiness-panel.tsx';

function reasonWords({ nameOf, t }: Text, reason: string): string {
  const words = nameOf('blind', reason);
  return words === reason ? t('blind.other', { reason }) : words;
}

/** `children`: what stands between the state of the camera and its history. */
export function CameraCard(props: { camera: CameraOverview; children?: ComponentChildren }) {
  const { camera, children } = props;
  const text = useText();
  const { t, language } = text;
  return (
    <li class={`camera camera-${camera.now}`}>
      <div class="camera-head">
        <h2>{camera.camera}</h2>
        <StateChip state={camera.now} />
        {camera.reason !== undefined && <span>{reasonWords(text, camera.reason)}</span>}
        <span class="push" />
        <span class="hint">
          {t('cameras.node', { node: camera.node, site: camera.site })} ·{' '}
          <strong class={`node-${camera.nodeState ?? 'unknown'}`}>
            {t(`cameras.node.${camera.nodeState ?? 'unknown'}`)}
          </strong>{' '}
          ·{' '}
          {camera.lastReportAt === undefined
            ? t('cameras.neverReported')
            : t('cameras.lastReport', { time: formatDateTime(camera.lastReportAt, language) })}
        </span>
      </div>
      {children}
      <ReadinessPanel camera={camera} />
      <CoverageBar camera={camera} />
      <Shares camera={camera} />
      <BlindReasons camera={camera} />
      <Gaps camera={camera} />
    </li>
  );
}

function Shares({ camera }: { camera: CameraOverview }) {
  const { t, language } = useText();
  const totalMs = SHARES.reduce((sum, name) => sum + camera[`${name}Ms`], 0);
  return (
    <ul class="shares">
      {SHARES.map((name) => (
        <li key={name}>
          <span class={`swatch swatch-${name}`} aria-hidden="true" />{' '}
          {t('cameras.share', {
            state: t(`share.${name}`),
            duration: formatDuration(camera[`${name}Ms`], language),
            percent: formatShare(totalMs === 0 ? 0 : camera[`${name}Ms`] / totalMs, language),
          })}
        </li>
      ))}
    </ul>
  );
}

function BlindReasons({ camera }: { camera: CameraOverview }) {
  const text = useText();
  const reasons = Object.entries(camera.blindByReason).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  return (
    <p>
      {text.t('cameras.blindBy')}:{' '}
      {reasons.map(([reason, ms], index) => (
        <span key={reason}>
          {index > 0 && '; '}
          {reasonWords(text, reason)} <strong>{formatDuration(ms, text.language)}</strong>
        </span>
      ))}
    </p>
  );
}

function Gaps({ camera }: { camera: CameraOverview }) {
  const text = useText();
  const { t, language } = text;
  if (camera.gaps.length === 0) {
    // Nothing can be said of time that nobody reported.
    return camera.unreportedMs === 0 ? <p class="hint">{t('cameras.noGaps')}</p> : null;
  }
  return (
    <details>
      <summary>{t('cameras.gaps', { count: camera.gaps.length })}</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('cameras.gap.from')}</th>
              <th scope="col">{t('cameras.gap.duration')}</th>
              <th scope="col">{t('cameras.gap.state')}</th>
              <th scope="col">{t('cameras.gap.reason')}</th>
            </tr>
          </thead>
          <tbody>
            {camera.gaps.map((gap) => (
              <tr key={gap.from}>
                <td>{formatDateTime(gap.from, language)}</td>
                <td>{formatDuration(Date.parse(gap.to) - Date.parse(gap.from), language)}</td>
                <td>{t(`share.${gap.state}`)}</td>
                <td>{gap.reason === undefined ? '–' : reasonWords(text, gap.reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
