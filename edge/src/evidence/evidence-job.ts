import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EVIDENCE_MAX_BYTES,
  type EvidenceFile,
  type EvidenceManifest,
  type EvidenceRole,
  errorMessage,
  NgatuError,
} from '@ngatu/contract';
import { type Clip, computeInterval, cutClip, planClip } from './clip.ts';
import type { EvidenceFiles } from './evidence-files.ts';
import { runMediaPlans } from './media-plan.ts';
import { indexRecording, type Recording } from './recording.ts';
import type { SegmentRing } from './segment-ring.ts';
import { collectStills, extractStills, findNearestPicture, planStills, type StillRequest } from './still.ts';

/** The decisive moment of an event. */
export interface EvidenceMoment {
  readonly session: string;
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  /** The same instant on the node's clock, ms since 1970. */
  readonly capturedAtMs: number;
}

export interface EvidenceJobOptions {
  readonly moment: EvidenceMoment;
  /** Clip before and after the moment and distance of the outer stills from it, ms (profile `evidence`). */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly stillOffsetMs: number;
  /** After this long the evidence is made from what is there, ms. */
  readonly deadlineMs: number;
  readonly ring: SegmentRing;
  readonly files: EvidenceFiles;
}

/** The part of a manifest that tells what was made and what was not. */
export type EvidenceResult = Pick<EvidenceManifest, 'files' | 'missing'>;

type StillRole = Exclude<EvidenceRole, 'clip'>;

/** A still may lie this far from its time, or half its distance from the moment, or one interval of a slow stream, ms. */
const STILL_TOLERANCE_MS = 500;
const CLIP_FILE = 'clip.mp4';

/**
 * Makes the evidence of one event: waits until the ring covers it, then cuts the clip from the original packets and three
 * full-resolution stills, and stores each under its SHA-256. Done again it gives the same files. What cannot be made is
 * named in `missing` with the reason.
 * @throws the signal's reason where it aborts; nothing unfinished stays behind. NgatuError DISK_FULL and
 *   SETUP_PACKAGE_MISSING: the same job may succeed later.
 */
export async function makeEvidence(
  options: EvidenceJobOptions,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const { moment, ring, files } = options;
  const range = {
    session: moment.session,
    fromMs: moment.mediaTimeMs - Math.max(options.beforeMs, options.stillOffsetMs),
    toMs: moment.mediaTimeMs + Math.max(options.afterMs, options.stillOffsetMs),
  };
  const release = ring.hold(range);
  const workDir = await files.openWorkFolder();
  try {
    await waitForRing(options, range.toMs, signal);
    const segments = ring.findClosed(range);
    const recording = await indexRecording(segments, join(workDir, 'index.ffconcat'), signal);
    const job = { ...options, recording, workDir };
    const done = await makeTogether(job, signal);
    const stills = done.stills ?? (await makeStills(job, signal));
    const clip = done.clip ?? (await makeClip(job, signal));
    return { files: [...stills.files, ...clip.files], missing: [...stills.missing, ...clip.missing] };
  } catch (error) {
    signal.throwIfAborted();
    return explainMissing(['still-before', 'still-at', 'still-after', 'clip'], error);
  } finally {
    release();
    await rm(workDir, { recursive: true, force: true });
  }
}

async function waitForRing(
  options: EvidenceJobOptions,
  mediaTimeMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(options.deadlineMs);
  try {
    const time = { session: options.moment.session, mediaTimeMs };
    await options.ring.waitUntilCovered(time, AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
  }
}

interface RunningJob extends EvidenceJobOptions {
  readonly recording: Recording;
  readonly workDir: string;
}

type StillWish = StillRequest & { readonly role: StillRole };

/** Stills and clip from one process; what is absent is yet to be made by itself, and then says what fails. */
async function makeTogether(
  job: RunningJob,
  signal: AbortSignal,
): Promise<{ stills?: EvidenceResult; clip?: EvidenceResult }> {
  try {
    const { wishes, missing } = chooseStills(job);
    const stillPlan = planStills(job.recording, wishes, job.workDir);
    const clipPlan = planClip(job.recording, clipOptions(job));
    if (wishes.length === 0 || job.moment.mediaTimeMs < clipPlan.clip.startMs) return {};
    const purpose = 'Cannot make stills and clip';
    await runMediaPlans([clipPlan.command, stillPlan.command], { purpose, signal });
    const made = await collectStills(stillPlan);
    return {
      stills: await storeStills(job, { wishes, missing, made }),
      clip: await storeClip(job, clipPlan.clip),
    };
  } catch (error) {
    signal.throwIfAborted();
    explainMissing([], error);
    return {};
  }
}

async function makeStills(job: RunningJob, signal: AbortSignal): Promise<EvidenceResult> {
  const { wishes, missing } = chooseStills(job);
  try {
    const made = await extractStills(job.recording, wishes, job.workDir, signal);
    return await storeStills(job, { wishes, missing, made });
  } catch (error) {
    signal.throwIfAborted();
    return explainMissing(['still-before', 'still-at', 'still-after'], error);
  }
}

/** The pictures of the recording that come nearest to the wanted times, and what has none. */
function chooseStills(job: RunningJob): { wishes: StillWish[]; missing: EvidenceResult['missing'] } {
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
  return { wishes, missing };
}

async function storeStills(
  { moment, recording, files }: RunningJob,
  stills: { wishes: readonly StillWish[]; missing: EvidenceResult['missing']; made: readonly boolean[] },
): Promise<EvidenceResult> {
  const result: { files: EvidenceFile[]; missing: EvidenceManifest['missing'] } = {
    files: [],
    missing: [...stills.missing],
  };
  const { width, height } = recording;
  for (const [index, { role, mediaTimeMs, outFile }] of stills.wishes.entries()) {
    if (stills.made[index] !== true) {
      result.missing.push({ role, reason: 'the picture could not be decoded' });
      continue;
    }
    const capturedAt = computeCapturedAt(moment, mediaTimeMs);
    const stored = await files.add(outFile);
    result.files.push({ role, ...stored, mediaType: 'image/jpeg', capturedAt, width, height });
  }
  return result;
}

function clipOptions({ moment, beforeMs, afterMs, workDir }: RunningJob) {
  return {
    fromMs: moment.mediaTimeMs - beforeMs,
    toMs: moment.mediaTimeMs + afterMs,
    outFile: join(workDir, CLIP_FILE),
    listFile: join(workDir, 'clip.ffconcat'),
  };
}

async function makeClip(job: RunningJob, signal: AbortSignal): Promise<EvidenceResult> {
  try {
    return await storeClip(job, await cutClip(job.recording, clipOptions(job), signal));
  } catch (error) {
    signal.throwIfAborted();
    return explainMissing(['clip'], error);
  }
}

async function storeClip({ moment, workDir, files }: RunningJob, clip: Clip): Promise<EvidenceResult> {
  const { codec, width, height, startMs, durationMs } = clip;
  const eventOffsetMs = moment.mediaTimeMs - startMs;
  if (eventOffsetMs < 0)
    throw new NgatuError('CLIP_UNAVAILABLE', 'Cannot cut a clip: the ring begins after the event');
  const stored = await files.add(join(workDir, CLIP_FILE));
  if (stored.sizeBytes > EVIDENCE_MAX_BYTES) {
    await rm(files.path(stored.sha256), { force: true });
    throw new NgatuError('EVIDENCE_TOO_LARGE', `Cannot keep the clip: ${stored.sizeBytes} bytes`);
  }
  const capturedAt = computeCapturedAt(moment, startMs);
  const about = { capturedAt, codec, durationMs, eventOffsetMs, width, height };
  return { files: [{ role: 'clip', ...stored, mediaType: 'video/mp4', ...about }], missing: [] };
}

/** The disk and the machine can be put right; that the ring does not hold something any more cannot. */
function explainMissing(roles: readonly EvidenceRole[], error: unknown): EvidenceResult {
  if (!(error instanceof NgatuError) || error.code === 'DISK_FULL' || error.code === 'SETUP_PACKAGE_MISSING')
    throw error;
  const reason = errorMessage(error).slice(0, 300);
  return { files: [], missing: roles.map((role) => ({ role, reason })) };
}

function computeCapturedAt(moment: EvidenceMoment, mediaTimeMs: number): string {
  return new Date(Math.round(moment.capturedAtMs + mediaTimeMs - moment.mediaTimeMs)).toISOString();
}
