import type { EventKind } from '@ngatu/contract';
import { drawCase, type NoiseProfile, type SceneCase } from '@ngatu/simulators';
import { type CaseFrame, playCase } from './scene-campaign-case.ts';

/** The subject is shown this often, ms. */
const EVERY_MS = 500;

/**
 * The story of one case: what the camera sees, who is there, what is true, what the detector and the tracker made of the subject, and
 * what was claimed.
 */
export function tellCase(kind: EventKind, seed: number, noise?: NoiseProfile): string {
  const scene = drawCase(kind, seed);
  const lines = describeCase(scene);
  let shownMs = Number.NEGATIVE_INFINITY;
  const outcome = playCase(scene, noise, (frame) => {
    for (const match of frame.finding.matches) {
      lines.push(
        `  ${formatTime(frame.truth.atMs)} ${match.letPass === undefined ? 'CLAIM' : `LET PASS (${match.letPass.reason})`} ${match.kind} track ${match.trackId}: ${match.letPass?.explanation.en ?? match.explanation.en}`,
      );
    }
    if (frame.truth.atMs - shownMs < EVERY_MS) return;
    shownMs = frame.truth.atMs;
    lines.push(...describeFrame(frame, scene));
  });
  lines.push(
    `matched ${outcome.matched.length}, missed ${outcome.missed.length}, wrong ${outcome.wrong.length}, on open ground ${outcome.open}, let pass ${outcome.letPass}`,
  );
  for (const { note } of outcome.missed) lines.push(`missed: ${note}`);
  for (const { why, userId } of outcome.wrong) lines.push(`wrong (${why}): about user ${userId ?? 'nobody'}`);
  return lines.join('\n');
}

function describeCase({ kind, seed, intent, story, subjectId, scene, world, truth }: SceneCase): string[] {
  const { heightM, pitchDeg, focalPx, width, height } = world.camera;
  return [
    `${kind} seed ${seed}, ${intent}: ${story}`,
    `camera ${width}×${height}, ${heightM.toFixed(1)} m high, looks ${pitchDeg.toFixed(0)}° down (${scene.view.depressionDeg}° at the place), focal length ${focalPx.toFixed(0)} px, ${world.fps} frames a second`,
    `lamp ${world.lamp.map(({ state, sinceMs }) => `${state} from ${formatTime(sinceMs)}`).join(', ') || 'none'}`,
    `users ${world.users.map(({ userId, body }) => `${userId}${userId === subjectId ? '*' : ''} ${body.label}`).join(', ')}`,
    ...truth.map(
      (entry) =>
        `truth ${entry.isOpen ? '(open) ' : ''}${entry.kind} user ${entry.userId} at ${formatTime(entry.atMs)}, claims from ${formatTime(entry.fromMs)} to ${formatTime(entry.untilMs)}: ${entry.note}`,
    ),
  ];
}

function describeFrame({ truth, detections, finding }: CaseFrame, { subjectId, kind }: SceneCase): string[] {
  const user = truth.users.find(({ userId }) => userId === subjectId);
  if (user === undefined) return [];
  const box = user.box;
  const near = (other: readonly [number, number, number, number]): boolean =>
    Math.abs(other[0] + other[2] - box[0] - box[2]) / 2 < 0.6 * (box[2] - box[0]) &&
    Math.abs(other[3] - box[3]) < 0.4 * (box[3] - box[1]);
  const found = detections
    .filter((detection) => near(detection.box))
    .map(({ label, confidence }) => `${label} ${confidence.toFixed(2)}`);
  const tracks = finding.tracks
    .filter((track) => near(track.box))
    .map(
      ({ trackId, label, state, seen, box: b }) =>
        `${trackId} ${label} ${state}${seen ? '' : ' unseen'} [${b.map((v) => v.toFixed(0)).join(' ')}]`,
    );
  const { atMs, lamp } = truth;
  const light = kind === 'RED_LIGHT' || kind === 'STOP_LINE' ? ` ${lamp?.state ?? ''}` : '';
  return [
    `  ${formatTime(atMs)}${light} ${(user.pose.speedMps * 3.6).toFixed(0)} km/h, ${user.distanceM.toFixed(0)} m away, ${(100 * user.visibleShare).toFixed(0)} % in sight [${box.map((v) => v.toFixed(0)).join(' ')}] | found: ${found.join(', ') || 'nothing'} | track: ${tracks.join('; ') || 'none'}`,
  ];
}

function formatTime(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
