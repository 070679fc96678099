import { cpuUsage } from 'node:process';
import { type EvidenceRole, errorMessage, NgatuError } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import { keepPixels, type PixelPicture } from './blur-mosaic.ts';
import { makePreview } from './blur-preview.ts';
import { applyBlur, readPixels, writeJpeg } from './blur-still.ts';
import { type BlurScope, type BlurSubject, planBlur } from './blur-zone.ts';
import type { FoundPart, PartDetector } from './part-detector.ts';
import type {
  MadePicture,
  PictureJob,
  PictureMaker,
  PictureOutcome,
  PreviewWork,
  StillWork,
} from './picture-job.ts';
import type { SeenRoadUser } from './road-user-sight.ts';
import { findRoadUsers } from './sight-lookup.ts';

/** Version of what is blurred how; part of every recipe. */
const RECIPE = 'blur/1';

/** In a preview road users are blurred wholly: nothing of them is needed there, and it costs nothing. */
const WHOLE_USERS: BlurScope = { faces: false, plates: false };
/** Every so many pictures of a preview are looked at for what no road user explains. */
const PREVIEW_LOOK_EVERY = 3;
/** A plate is cut out with this much around it, shares of its size: its edge tells the layout. */
const PLATE_MARGIN = 0.35;

/** What looks for faces and plates; each may be absent. Closed with the maker. */
export interface BlurDetectors {
  readonly face?: PartDetector | undefined;
  readonly plate?: PartDetector | undefined;
}

/** Where a detector was not supplied, could not be loaded, or fails: what it would have looked for is blurred wholly. */
interface PartFinder {
  readonly detector: PartDetector | undefined;
}

/** Makes the pictures in this process. */
export class LocalPictureMaker implements PictureMaker {
  readonly #face: PartFinder;
  readonly #plate: PartFinder;

  constructor({ face, plate }: BlurDetectors) {
    this.#face = { detector: face };
    this.#plate = { detector: plate };
  }

  async make(job: PictureJob, signal: AbortSignal): Promise<PictureOutcome> {
    const begun = cpuUsage();
    const made: Partial<Record<EvidenceRole, MadePicture>> = {};
    const failed: Partial<Record<EvidenceRole, string>> = {};
    for (const still of job.stills) {
      signal.throwIfAborted();
      await attempt(failed, listStillRoles(still), signal, async () =>
        Object.assign(made, await this.#makeStill(job, still, failed)),
      );
    }
    const { preview } = job;
    if (preview !== undefined) {
      await attempt(failed, ['preview'], signal, async () => {
        made.preview = await this.#makePreview(job, preview, signal);
      });
    }
    const { user, system } = cpuUsage(begun);
    return { made, failed, cpuMs: (user + system) / 1000 };
  }

  async close(): Promise<void> {
    await this.#face.detector?.close();
    await this.#plate.detector?.close();
  }

  async #makeStill(
    job: PictureJob,
    still: StillWork,
    failed: Partial<Record<EvidenceRole, string>>,
  ): Promise<Partial<Record<EvidenceRole, MadePicture>>> {
    const picture = await readPixels(still.file);
    const users = findRoadUsers(job.sights, still.mediaTimeMs);
    const subject = findSubject(job, users, still.mediaTimeMs);
    const faces = await findParts(this.#face, picture);
    const plates = await findParts(this.#plate, picture);
    const scope = { faces: faces !== undefined, plates: plates !== undefined };
    const { width, height } = picture;
    const found = { faces: boxesOf(faces), plates: boxesOf(plates) };
    const { maxWidth, cropFile, plate } = still;
    // bound to the subject over several pictures: no zone of somebody before it lies over it
    const restore = plate === undefined ? undefined : keepPixels(picture, plate.box);
    applyBlur(picture, planBlur({ width, height, users, subject, scope, ...found }));
    restore?.();
    const recipe = `${this.#describe(scope, users)}${plate === undefined ? '' : ' keep=plate'}`;
    const size = await writeJpeg(picture, still.outFile, maxWidth === undefined ? {} : { maxWidth });
    const result: Partial<Record<EvidenceRole, MadePicture>> = { [still.role]: { ...size, recipe } };
    if (plate !== undefined) {
      const cropped = await writeJpeg(picture, plate.cropFile, { around: plate.box, margin: PLATE_MARGIN });
      result['plate-crop'] = { ...cropped, recipe: `${recipe} cut=plate` };
    }
    if (cropFile === undefined) return result;
    if (subject === undefined) failed['subject-crop'] = 'nobody knows where the subject is in the picture';
    else {
      const cropped = await writeJpeg(picture, cropFile, { around: subject.box });
      result['subject-crop'] = { ...cropped, recipe: `${recipe} cut=subject` };
    }
    return result;
  }

  async #makePreview(job: PictureJob, work: PreviewWork, signal: AbortSignal): Promise<MadePicture> {
    let known = true;
    let frames = 0;
    let found: { faces: Box[]; plates: Box[] } = { faces: [], plates: [] };
    const scale = { x: work.width / job.width, y: work.height / job.height };
    const planAt = async (mediaTimeMs: number, i420: Uint8Array) => {
      const users = findRoadUsers(job.sights, mediaTimeMs);
      if (users === undefined) known = false;
      if (frames % PREVIEW_LOOK_EVERY === 0) found = await this.#lookAt(i420, work, scale);
      frames += 1;
      const subject = findSubject(job, users, mediaTimeMs);
      const { width, height } = job;
      return planBlur({ width, height, users, subject, scope: WHOLE_USERS, ...found });
    };
    await makePreview(work, { scale, planAt }, signal);
    const { width, height, fps } = work;
    const looks = { faces: this.#face.detector !== undefined, plates: this.#plate.detector !== undefined };
    const recipe = this.#describe(looks, known ? [] : undefined, 'road-users');
    return { width, height, recipe: `${recipe} preview=${width}x${height}@${fps}` };
  }

  /** Faces and plates that no road user explains, in source pixels. Brightness is enough to find them. */
  async #lookAt(
    i420: Uint8Array,
    { width, height }: PreviewWork,
    scale: { readonly x: number; readonly y: number },
  ): Promise<{ faces: Box[]; plates: Box[] }> {
    const data = new Uint8Array(width * height * 3);
    for (let at = 0; at < width * height; at++) data.fill(i420[at] ?? 0, at * 3, at * 3 + 3);
    const picture: PixelPicture = { data, width, height, channels: 3 };
    const toSource = ([x1, y1, x2, y2]: Box): Box => [
      ...([x1 / scale.x, y1 / scale.y, x2 / scale.x, y2 / scale.y] as const),
    ];
    const faces = boxesOf(await findParts(this.#face, picture)).map(toSource);
    return { faces, plates: boxesOf(await findParts(this.#plate, picture)).map(toSource) };
  }

  #describe(
    scope: BlurScope,
    users: readonly SeenRoadUser[] | undefined,
    known: 'parts' | 'road-users' = scope.faces && scope.plates ? 'parts' : 'road-users',
  ): string {
    const name = (isUsed: boolean, { detector }: PartFinder): string =>
      isUsed && detector !== undefined ? detector.label : 'none';
    const what = users === undefined ? 'picture' : known;
    return `${RECIPE} scope=${what} faces=${name(scope.faces, this.#face)} plates=${name(scope.plates, this.#plate)}`;
  }
}

function listStillRoles({ role, cropFile, plate }: StillWork): EvidenceRole[] {
  return [
    role,
    ...(cropFile === undefined ? [] : (['subject-crop'] as const)),
    ...(plate === undefined ? [] : (['plate-crop'] as const)),
  ];
}

/** Runs a part of the job; what fails for good is told by role, what may succeed later is thrown. */
async function attempt(
  failed: Partial<Record<EvidenceRole, string>>,
  roles: readonly EvidenceRole[],
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NgatuError)) throw error;
    if (error.code === 'DISK_FULL' || error.code === 'SETUP_PACKAGE_MISSING') throw error;
    for (const role of roles) failed[role] = errorMessage(error).slice(0, 300);
  }
}

/** Undefined where nobody looked. */
async function findParts({ detector }: PartFinder, picture: PixelPicture): Promise<FoundPart[] | undefined> {
  try {
    return await detector?.find(picture);
  } catch (error) {
    if (error instanceof NgatuError && error.code === 'MODEL_INVALID') return undefined;
    throw error;
  }
}

function boxesOf(found: readonly FoundPart[] | undefined): FoundPart['box'][] {
  return (found ?? []).map(({ box }) => box);
}

/** At its own instant the subject is where the event says; at another one where its track was seen. */
function findSubject(
  { subject }: PictureJob,
  users: readonly SeenRoadUser[] | undefined,
  mediaTimeMs: number,
): BlurSubject | undefined {
  if (subject === undefined) return undefined;
  if (Math.abs(mediaTimeMs - subject.mediaTimeMs) < 1) return subject.user;
  const { trackId } = subject.user;
  return trackId === undefined ? undefined : users?.find((user) => user.trackId === trackId);
}
