import { join } from 'node:path';
import type { EvidenceManifest } from '@ngatu/contract';
import { computeInterval } from './clip.ts';
import type { StillWork } from './picture-job.ts';
import { choosePreview, type PreviewChoice } from './preview-choice.ts';
import type { Recording } from './recording.ts';
import { findNearestPicture, type StillRequest } from './still.ts';

type StillRole = Exclude<StillWork['role'], 'plate-frame'>;

export type StillWish = StillRequest & { readonly role: StillRole };

/** Which pictures of a recording are decoded for one event. */
export interface StillChoice {
  readonly wishes: readonly StillWish[];
  readonly missing: EvidenceManifest['missing'];
  readonly preview: PreviewChoice | undefined;
  /** Pictures in which the plate is looked for, rising, ms of media time. */
  readonly plateTimesMs: readonly number[];
}

/** A still may lie this far from its time, or half its distance from the moment, or one interval of a slow stream, ms. */
const STILL_TOLERANCE_MS = 500;

/** The pictures of the recording that come nearest to the wanted times, and what has none. */
export function chooseStills(job: {
  readonly moment: { readonly mediaTimeMs: number };
  readonly stillOffsetMs: number;
  readonly recording: Recording;
  /** The stills go here. */
  readonly workDir: string;
}): Omit<StillChoice, 'plateTimesMs'> {
  const { moment, stillOffsetMs, recording, workDir } = job;
  const wanted: { role: StillRole; mediaTimeMs: number }[] = [
    { role: 'still-before', mediaTimeMs: moment.mediaTimeMs - stillOffsetMs },
    { role: 'still-at', mediaTimeMs: moment.mediaTimeMs },
    { role: 'still-after', mediaTimeMs: moment.mediaTimeMs + stillOffsetMs },
  ];
  const toleranceMs = Math.max(
    Math.min(STILL_TOLERANCE_MS, stillOffsetMs / 2),
    computeInterval(recording.pictures),
  );
  const missing: EvidenceManifest['missing'] = [];
  const wishes: StillWish[] = [];
  for (const { role, mediaTimeMs } of wanted) {
    const picture = findNearestPicture(recording.pictures, mediaTimeMs);
    if (picture === undefined || Math.abs(picture.mediaTimeMs - mediaTimeMs) > toleranceMs) {
      missing.push({ role, reason: `the ring holds no picture within ${toleranceMs} ms of that time` });
    } else {
      wishes.push({ role, mediaTimeMs: picture.mediaTimeMs, outFile: join(workDir, `${role}.jpg`) });
    }
  }
  const preview = choosePreview(recording, moment.mediaTimeMs, recording.pictures[0]?.mediaTimeMs ?? 0);
  return { wishes, missing, preview };
}

/** Every picture that is to be decoded at full resolution, once each and rising. */
export function listRequests({ wishes, plateTimesMs }: StillChoice, workDir: string): StillRequest[] {
  const isWished = new Set(wishes.map(({ mediaTimeMs }) => mediaTimeMs));
  const extra = plateTimesMs
    .filter((mediaTimeMs) => !isWished.has(mediaTimeMs))
    .map((mediaTimeMs) => ({
      mediaTimeMs,
      outFile: join(workDir, `plate-at-${Math.round(mediaTimeMs)}.jpg`),
    }));
  return [...wishes, ...extra].sort((a, b) => a.mediaTimeMs - b.mediaTimeMs);
}
