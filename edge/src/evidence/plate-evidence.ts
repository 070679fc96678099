import { buildPlateAbsence, NgatuError } from '@ngatu/contract';
import type { BlurSubject } from './blur-zone.ts';
import type { EvidenceMoment } from './evidence-job.ts';
import type { StillWork } from './picture-job.ts';
import { choosePlateFrames } from './plate-frames.ts';
import type { PlateDesk, PlateFrame, PlateJob, PlateOutcome } from './plate-job.ts';
import type { Recording } from './recording.ts';
import type { Sight } from './road-user-sight.ts';

/** How the plate of an event's road user is read. */
export interface PlateReadingOptions {
  readonly desk: PlateDesk;
  /** Pictures that are looked at, at most. */
  readonly maxFrames: number;
}

/** What is shown of the plate that was read: the picture, blurred, and the plate alone. */
export const PLATE_ROLES = ['plate-crop', 'plate-frame'] as const;

interface PlateContext {
  readonly plates?: PlateReadingOptions;
  readonly moment: EvidenceMoment;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly recording: Recording;
  readonly subject?: BlurSubject;
  readonly listSights: (fromMs: number, toMs: number) => readonly Sight[];
}

/** Sights this far outside of the pictures say where somebody was between two of them, ms. */
const SIGHT_MARGIN_MS = 500;

/** Whether this road user carries a plate that is to be read. */
export function wantsPlate({ plates, subject }: Pick<PlateContext, 'plates' | 'subject'>): boolean {
  return plates !== undefined && subject?.label !== 'person' && subject?.label !== 'bicycle';
}

function listSightsAround({ moment, beforeMs, afterMs, listSights }: PlateContext): readonly Sight[] {
  const { mediaTimeMs } = moment;
  return listSights(mediaTimeMs - beforeMs - SIGHT_MARGIN_MS, mediaTimeMs + afterMs + SIGHT_MARGIN_MS);
}

/** The pictures in which to look for the plate, rising, ms of media time. */
export function choosePlateTimes(context: PlateContext): number[] {
  const { plates, moment, beforeMs, afterMs, recording, subject } = context;
  if (plates === undefined || subject === undefined || !wantsPlate(context)) return [];
  const { width, height, pictures } = recording;
  return choosePlateFrames({
    ...{ width, height, pictures, subject, momentMs: moment.mediaTimeMs, maxFrames: plates.maxFrames },
    ...{ fromMs: moment.mediaTimeMs - beforeMs, toMs: moment.mediaTimeMs + afterMs },
    sights: listSightsAround(context),
  });
}

/**
 * Reads the plate in the pictures that were decoded; undefined where nothing is to be read. What fails is a finding, and costs no other
 * evidence.
 * @throws the signal's reason where it aborts
 */
export async function makePlateReading(
  context: PlateContext,
  { wantedMs, frames }: { readonly wantedMs: readonly number[]; readonly frames: readonly PlateFrame[] },
  signal: AbortSignal,
): Promise<PlateOutcome | undefined> {
  const { plates, subject, moment, recording } = context;
  if (plates === undefined || !wantsPlate(context)) return undefined;
  if (subject === undefined || wantedMs.length === 0) return { finding: buildPlateAbsence('subject-unseen') };
  if (frames.length === 0) return { finding: buildPlateAbsence('recording-missing') };
  const { width, height } = recording;
  const job: PlateJob = {
    ...{ width, height, frames, subject, sights: listSightsAround(context) },
    ...{ momentMs: moment.mediaTimeMs, capturedAtMs: moment.capturedAtMs },
  };
  return attemptReading(plates.desk, job, signal);
}

/** A process that broke is tried once more: it may have been another job's fault. */
async function attemptReading(
  desk: PlateDesk,
  job: PlateJob,
  signal: AbortSignal,
  attempts = 2,
): Promise<PlateOutcome> {
  try {
    return await desk.readPlate(job, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NgatuError)) throw error;
    if (error.code === 'CHILD_FAILED' && attempts > 1) return attemptReading(desk, job, signal, attempts - 1);
    const reason = error.code === 'PICTURE_UNREADABLE' ? 'recording-missing' : 'process-failed';
    return { finding: buildPlateAbsence(reason) };
  }
}

/** The picture on which the plate was read best, as it is to be shown; undefined where none was bound to the subject. */
export function describePlateStill(
  { best }: Pick<PlateOutcome, 'best'>,
  frames: readonly PlateFrame[],
  { frameFile, cropFile }: { readonly frameFile: string; readonly cropFile: string },
): StillWork | undefined {
  if (best === undefined) return undefined;
  const frame = frames.find(({ mediaTimeMs }) => mediaTimeMs === best.mediaTimeMs);
  if (frame === undefined) return undefined;
  return {
    ...{ role: 'plate-frame', mediaTimeMs: best.mediaTimeMs, file: frame.file, outFile: frameFile },
    plate: { box: best.box, cropFile },
  };
}
