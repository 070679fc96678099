import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildPlateAbsence,
  EVIDENCE_MAX_BYTES,
  type EvidenceFile,
  type EvidenceManifest,
  type EvidenceRole,
  errorMessage,
  NgatuError,
} from '@ngatu/contract';
import type { BlurSubject } from './blur-zone.ts';
import { type Clip, cutClip, planClip } from './clip.ts';
import type { EvidenceFiles } from './evidence-files.ts';
import { runMediaPlans } from './media-plan.ts';
import type { PictureJob, PictureMaker, PictureOutcome, StillWork } from './picture-job.ts';
import {
  choosePlateTimes,
  describePlateStill,
  makePlateReading,
  PLATE_ROLES,
  type PlateReadingOptions,
  wantsPlate,
} from './plate-evidence.ts';
import type { PlateFrame } from './plate-job.ts';
import type { PreviewChoice } from './preview-choice.ts';
import { indexRecording, type Recording } from './recording.ts';
import type { Sight } from './road-user-sight.ts';
import type { SegmentRing } from './segment-ring.ts';
import { collectStills, listPreviewFrames, planStills, type StillPlan } from './still.ts';
import { chooseStills, listRequests, type StillChoice, type StillWish } from './still-choice.ts';

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
  readonly pictures: PictureMaker;
  /** The road user of the event; absent where nobody knows it any more: then nobody is left unblurred. */
  readonly subject?: BlurSubject;
  /** Who was seen between two media times of the moment's session; nothing where nobody knows. */
  readonly listSights: (fromMs: number, toMs: number) => readonly Sight[];
  /** How the subject's plate is read; absent where it is not. */
  readonly plates?: PlateReadingOptions;
}

/** The part of a manifest that tells what was made and what was not, and what was read. */
export type EvidenceResult = Pick<EvidenceManifest, 'files' | 'missing' | 'plate'>;

const CLIP_FILE = 'clip.mp4';
/** Roles that are shown: derived, and blurred. */
const SHOWN_ROLES = ['still-before', 'still-at', 'still-after', 'subject-crop', 'preview'] as const;
type ShownRole = (typeof SHOWN_ROLES)[number] | (typeof PLATE_ROLES)[number];
/** The outer stills give the context; the decisive one keeps the camera's resolution, px. */
const CONTEXT_MAX_WIDTH = 1_280;

/**
 * Makes the evidence of one event: waits until the ring covers it, then cuts the clip from the original packets, decodes what
 * is shown, has it blurred, and stores each file under its SHA-256. What cannot be made is named in `missing` with the reason;
 * nothing unblurred but the clip is ever stored.
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
    const wishes = { ...chooseStills(job), plateTimesMs: choosePlateTimes(job) };
    const done = await decodeTogether(job, wishes, signal);
    const clip = done.clip ?? (await makeClip(job, signal));
    const decoded = done.stills ?? (await decodeStills(job, wishes, signal));
    const shown = await makeShown(job, { ...decoded, clip, plateTimesMs: wishes.plateTimesMs }, signal);
    return { ...shown, files: [...shown.files, ...clip.files], missing: [...shown.missing, ...clip.missing] };
  } catch (error) {
    signal.throwIfAborted();
    const plate = wantsPlate(options) ? { plate: buildPlateAbsence('recording-missing') } : {};
    return { ...explainMissing([...SHOWN_ROLES, 'clip'], error), ...plate };
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

/** What was decoded: which of the stills, and where the small pictures of the preview lie. */
interface Decoded {
  readonly stills: readonly StillWish[];
  readonly missing: EvidenceResult['missing'];
  readonly plateFrames: readonly PlateFrame[];
  readonly preview?: {
    readonly choice: PreviewChoice;
    readonly frames: ReturnType<typeof listPreviewFrames>;
  };
}

/** Stills and clip from one process; what is absent is yet to be made by itself, and then says what fails. */
async function decodeTogether(
  job: RunningJob,
  choice: StillChoice,
  signal: AbortSignal,
): Promise<{ stills?: Decoded; clip?: EvidenceResult }> {
  try {
    const requests = listRequests(choice, job.workDir);
    const stillPlan = planStills(job.recording, requests, job.workDir, choice.preview);
    const clipPlan = planClip(job.recording, clipOptions(job));
    if (choice.wishes.length === 0 || job.moment.mediaTimeMs < clipPlan.clip.startMs) return {};
    const purpose = 'Cannot make stills and clip';
    await runMediaPlans([clipPlan.command, stillPlan.command], { purpose, signal });
    return {
      stills: await collectDecoded(stillPlan, choice),
      clip: await storeClip(job, clipPlan.clip),
    };
  } catch (error) {
    signal.throwIfAborted();
    explainMissing([], error);
    return {};
  }
}

async function decodeStills(job: RunningJob, choice: StillChoice, signal: AbortSignal): Promise<Decoded> {
  if (choice.wishes.length === 0) return { stills: [], missing: choice.missing, plateFrames: [] };
  try {
    const requests = listRequests(choice, job.workDir);
    const plan = planStills(job.recording, requests, job.workDir, choice.preview);
    await runMediaPlans([plan.command], { purpose: 'Cannot make stills', signal });
    return await collectDecoded(plan, choice);
  } catch (error) {
    signal.throwIfAborted();
    const { missing } = explainMissing(
      choice.wishes.map(({ role }) => role),
      error,
    );
    return { stills: [], missing: [...choice.missing, ...missing], plateFrames: [] };
  }
}

async function collectDecoded(plan: StillPlan, choice: StillChoice): Promise<Decoded> {
  const { wishes, missing, preview, plateTimesMs } = choice;
  const made = await collectStills(plan);
  const decoded = plan.requests.filter((_, index) => made[index] === true);
  const undecoded = wishes.filter(
    (wish) => !decoded.some(({ mediaTimeMs }) => mediaTimeMs === wish.mediaTimeMs),
  );
  const reasons = undecoded.map(({ role }) => ({ role, reason: 'the picture could not be decoded' }));
  return {
    stills: wishes.filter((wish) => !undecoded.includes(wish)),
    missing: [...missing, ...reasons],
    plateFrames: decoded
      .filter(({ mediaTimeMs }) => plateTimesMs.includes(mediaTimeMs))
      .map(({ mediaTimeMs, outFile: file }) => ({ mediaTimeMs, file })),
    ...(preview === undefined ? {} : { preview: { choice: preview, frames: listPreviewFrames(plan) } }),
  };
}

/** Reads the plate, has the decoded pictures blurred, and stores what came of it. */
async function makeShown(
  job: RunningJob,
  {
    clip,
    plateTimesMs,
    ...decoded
  }: Decoded & Pick<StillChoice, 'plateTimesMs'> & { readonly clip: EvidenceResult },
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const { stills, missing, preview, plateFrames } = decoded;
  const reading = await makePlateReading(job, { wantedMs: plateTimesMs, frames: plateFrames }, signal);
  const place = (role: ShownRole): string => join(job.workDir, outFileOf(role));
  const plateFiles = { cropFile: place('plate-crop'), frameFile: place('plate-frame') };
  const plateStill = reading === undefined ? undefined : describePlateStill(reading, plateFrames, plateFiles);
  const outcome = await makePictures(job.pictures, describePictures(job, decoded, plateStill), signal);
  const sources = clip.files.map(({ sha256 }) => sha256);
  const result: { files: EvidenceFile[]; missing: EvidenceManifest['missing'] } = {
    files: [],
    missing: [...missing],
  };
  for (const role of plateStill === undefined ? SHOWN_ROLES : [...SHOWN_ROLES, ...PLATE_ROLES]) {
    const picture = outcome.made[role];
    if (picture === undefined) {
      if (result.missing.some((absent) => absent.role === role)) continue;
      result.missing.push({ role, reason: outcome.failed[role] ?? 'there is no picture to make it of' });
      continue;
    }
    const { width, height, recipe } = picture;
    const stored = await job.files.add(join(job.workDir, outFileOf(role)));
    const isVideo = role === 'preview' && preview !== undefined;
    const firstMs = isVideo ? preview.choice.timesMs[0] : findStillTime(role, stills, plateStill);
    result.files.push({
      role,
      ...stored,
      mediaType: isVideo ? 'video/mp4' : 'image/jpeg',
      capturedAt: computeCapturedAt(job.moment, firstMs ?? job.moment.mediaTimeMs),
      ...(isVideo ? describePreview(job.moment, preview.choice) : {}),
      ...{ width, height, derivation: { recipe, sources } },
    });
  }
  return reading === undefined ? result : { ...result, plate: reading.finding };
}

/** When the picture was presented that a still or a cut-out shows, ms. */
function findStillTime(
  role: ShownRole,
  stills: readonly StillWish[],
  plateStill: StillWork | undefined,
): number | undefined {
  if (role === 'plate-crop' || role === 'plate-frame') return plateStill?.mediaTimeMs;
  return stills.find((wish) => wish.role === (role === 'subject-crop' ? 'still-at' : role))?.mediaTimeMs;
}

/**
 * Pictures that cannot be made leave the clip as it is, and are told as missing. A process that broke is tried once more: one job
 * must not hold up the next ones for ever.
 */
async function makePictures(
  maker: PictureMaker,
  work: PictureJob,
  signal: AbortSignal,
  attempts = 2,
): Promise<PictureOutcome> {
  try {
    return await maker.make(work, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (
      !(error instanceof NgatuError) ||
      error.code === 'DISK_FULL' ||
      error.code === 'SETUP_PACKAGE_MISSING'
    )
      throw error;
    if (error.code === 'CHILD_FAILED' && attempts > 1) return makePictures(maker, work, signal, attempts - 1);
    const reason = errorMessage(error).slice(0, 300);
    return {
      made: {},
      failed: Object.fromEntries([...SHOWN_ROLES, ...PLATE_ROLES].map((role) => [role, reason])),
    };
  }
}

function describePreview({ mediaTimeMs }: EvidenceMoment, { timesMs, fps }: PreviewChoice) {
  const firstMs = timesMs[0] ?? mediaTimeMs;
  return {
    codec: 'h264' as const,
    durationMs: (timesMs.length * 1000) / fps,
    eventOffsetMs: Math.max(0, mediaTimeMs - firstMs),
  };
}

function outFileOf(role: ShownRole): string {
  return `shown-${role}.${role === 'preview' ? 'mp4' : 'jpg'}`;
}

function describePictures(
  job: RunningJob,
  { stills, preview }: Decoded,
  plateStill: StillWork | undefined,
): PictureJob {
  const { moment, recording, workDir, subject } = job;
  const shown = [...stills, ...(plateStill === undefined ? [] : [plateStill])];
  const times = [...shown.map(({ mediaTimeMs }) => mediaTimeMs), ...(preview?.choice.timesMs ?? [])];
  const sights = times.length === 0 ? [] : job.listSights(Math.min(...times) - 500, Math.max(...times) + 500);
  return {
    ...{ width: recording.width, height: recording.height, sights },
    ...(subject === undefined ? {} : { subject: { user: subject, mediaTimeMs: moment.mediaTimeMs } }),
    stills: [
      ...stills.map(({ role, mediaTimeMs, outFile }) => ({
        ...{ role, mediaTimeMs, file: outFile, outFile: join(workDir, outFileOf(role)) },
        ...(role === 'still-at'
          ? { cropFile: join(workDir, outFileOf('subject-crop')) }
          : { maxWidth: CONTEXT_MAX_WIDTH }),
      })),
      ...(plateStill === undefined ? [] : [plateStill]),
    ],
    ...(preview === undefined
      ? {}
      : {
          preview: {
            ...{ frames: preview.frames, width: preview.choice.width, height: preview.choice.height },
            ...{ fps: preview.choice.fps, outFile: join(workDir, outFileOf('preview')), workDir },
          },
        }),
  };
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
