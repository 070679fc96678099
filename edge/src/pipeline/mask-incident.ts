import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  computeEventSeverity,
  EVENT_SEVERITIES,
  EVIDENCE_ROLES,
  type Event,
  type EvidenceFile,
  errorMessage,
  type MaskIncidentPolicy,
  NgatuError,
  type SealedFacts,
} from '@ngatu/contract';
import { computeEventSha256, computeJsonSha256 } from '@ngatu/trust';
import type { Logger } from 'pino';
import sharp from 'sharp';
import type { ModelIdentity } from '../detect/detection.ts';
import type { EvidenceFiles } from '../evidence/evidence-files.ts';
import type { PictureMaker } from '../evidence/picture-job.ts';
import type { SeenRoadUser } from '../evidence/road-user-sight.ts';
import { CHAIN_MARK, type EvidenceSealer } from '../evidence/seal-chain.ts';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { buildEvent } from './event-builder.ts';
import type { KeptPicture, WatchedPerson } from './mask-watch.ts';

/** What makes and keeps the picture of an incident, and seals it. */
export interface MaskEvidenceParts {
  readonly pictures: PictureMaker;
  readonly files: Pick<EvidenceFiles, 'add' | 'openWorkFolder' | 'path'>;
  readonly sealer: Pick<EvidenceSealer, 'refresh' | 'seal'>;
  readonly outbox: Pick<Outbox, 'append' | 'mark' | 'outboxId'>;
}

export interface MaskIncidentOptions extends MaskEvidenceParts {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly sceneSha256: string;
  readonly policy: MaskIncidentPolicy;
  /** The networks that judge now. */
  readonly models: () => readonly ModelIdentity[];
  readonly version: string;
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** What became of a person who was counted. */
export type MaskIncidentOutcome = 'announced' | 'no-case' | 'limited' | 'busy' | 'not-made';

/** Name under which the incidents stand where others have the name of their rule. */
const RULE = 'no-mask';
/** An incident takes a mean of log-odds of at least this much for "without": 7.4 to 1; and so many looks. */
const MIN_LOGIT = 2;
const MIN_LOOKS = 3;
const HOUR_MS = 3_600_000;
/** Incidents that wait for their picture at most. */
const MAX_WAITING = 4;
/** The picture that the networks saw is kept as well as a still is, before it is blurred. */
const JPEG_QUALITY = 92;

/**
 * Incidents of one camera whose profile asks for them: one for each person who was clearly seen without a mask, as long as there are not
 * too many. Each has one still, in which every face is blurred, the subject's too; without a detector of faces there is no incident.
 * Event, manifest and upload are one transaction: an incident is there with its evidence or not at all.
 */
export class MaskIncidents {
  readonly #options: MaskIncidentOptions;
  #announcedAtMs: number[] = [];
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MaskIncidentOptions) {
    this.#options = options;
  }

  /** One at a time, in the order of asking. Never rejects but where the signal aborts or the code is wrong. */
  offer(person: WatchedPerson, signal: AbortSignal): Promise<MaskIncidentOutcome> {
    const { picture } = person;
    if (!isClear(person) || picture === undefined) return Promise.resolve('no-case');
    const { logger, policy, clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#announcedAtMs = this.#announcedAtMs.filter((atMs) => nowMs - atMs < HOUR_MS);
    if (this.#announcedAtMs.length >= policy.maxPerHour) {
      logger.warn({ maxPerHour: policy.maxPerHour }, 'no incident: there were enough within the hour');
      return Promise.resolve('limited');
    }
    if (this.#waiting >= MAX_WAITING) {
      logger.warn({ waiting: this.#waiting }, 'no incident: pictures take too long');
      return Promise.resolve('busy');
    }
    this.#announcedAtMs.push(nowMs);
    this.#waiting += 1;
    const made = this.#last.then(() => this.#make(person, picture, signal));
    const ended = () => {
      this.#waiting -= 1;
    };
    this.#last = made.then(ended, ended);
    return made;
  }

  /** When everything that was offered is done. */
  async settle(): Promise<void> {
    await this.#last;
  }

  async #make(
    person: WatchedPerson,
    picture: KeptPicture,
    signal: AbortSignal,
  ): Promise<MaskIncidentOutcome> {
    const { files, logger } = this.#options;
    const workDir = await files.openWorkFolder();
    try {
      const still = await this.#makeStill(picture, workDir, signal);
      await this.#options.sealer.refresh();
      const event = this.#describe(person, picture);
      this.#announce(event, still);
      logger.info({ kind: event.kind, eventId: event.eventId }, 'event');
      return 'announced';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NgatuError)) throw error;
      logger.error({ code: error.code }, `no incident: ${errorMessage(error)}`);
      return 'not-made';
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
  }

  /** @throws NgatuError MODEL_INVALID where nobody looked for faces: then there is no picture to show */
  async #makeStill(
    { frame, faces }: KeptPicture,
    workDir: string,
    signal: AbortSignal,
  ): Promise<EvidenceFile> {
    const [file, outFile] = [join(workDir, 'seen.jpg'), join(workDir, 'shown.jpg')];
    await writeFrame(frame, file);
    const { mediaTimeMs, width, height } = frame;
    const outcome = await this.#options.pictures.make(
      {
        ...{ width, height },
        sights: [{ mediaTimeMs, users: faces.map(describePerson) }],
        stills: [{ role: 'still-at', mediaTimeMs, file, outFile }],
      },
      signal,
    );
    const made = outcome.made['still-at'];
    if (made === undefined)
      throw new NgatuError('MODEL_INVALID', outcome.failed['still-at'] ?? 'Cannot blur the picture');
    // the recipe names the detector that looked, or says that none did
    if (!/ faces=(?!none )\S+ /.test(made.recipe))
      throw new NgatuError('MODEL_INVALID', 'Cannot show a picture in which nobody looked for faces');
    return {
      ...{ role: 'still-at', mediaType: 'image/jpeg', width: made.width, height: made.height },
      ...(await this.#options.files.add(outFile)),
      capturedAt: new Date(Math.round(frame.capturedAtMs)).toISOString(),
      derivation: { recipe: made.recipe, sources: [] },
    };
  }

  #describe(person: WatchedPerson, { frame, box }: KeptPicture): Event {
    const { site, node, camera, sceneSha256, models, policy, clock } = this.#options;
    const { looks, meanLogit = 0, personId } = person;
    const confidence = 1 / (1 + Math.exp(meanLogit));
    const { index, mediaTimeMs, capturedAtMs, session, clockErrorMs, sourceWidth, sourceHeight } = frame;
    const [model] = models();
    if (model === undefined) throw new RangeError('incidents of masks name their networks');
    const event = buildEvent(
      {
        ...{ rule: RULE, kind: 'NO_MASK', trackId: personId, label: 'person', alternatives: [] },
        observation: {
          ...{ frame: { index, mediaTimeMs, capturedAtMs }, box, confidence, occupants: [] },
          groundSeen: false,
        },
        measures: {
          facePx: Math.round(Math.min(box[2] - box[0], box[3] - box[1])),
          looks,
          noMaskLogOdds: Math.round(-meanLogit * 100) / 100,
        },
        explanation: {
          vi: `Không đeo khẩu trang, theo ${looks} lần nhìn. Quy định của điểm: ${policy.policy}. Không ghi nhận điều khoản luật nào.`,
          en: `No mask, by ${looks} looks. Rule of the site: ${policy.policy}. No clause of law is recorded.`,
        },
      },
      { site, node, camera, session, sourceWidth, sourceHeight, clockErrorMs, model, sceneSha256 },
    );
    return { ...event, detectedAt: new Date(clock.nowMs()).toISOString() };
  }

  #announce(event: Event, still: EvidenceFile): void {
    const { site, node, camera, outbox, sealer, files, clock } = this.#options;
    const { eventId } = event;
    const reason = 'not made of incidents of masks: one still in which every face is blurred is all there is';
    const { manifest, head } = sealer.seal(
      {
        ...{ schemaVersion: 1, eventId, site, node, camera },
        createdAt: new Date(clock.nowMs()).toISOString(),
        files: [still],
        missing: EVIDENCE_ROLES.filter((role) => role !== 'still-at').map((role) => ({ role, reason })),
      },
      { facts: this.#buildFacts(event), outboxId: outbox.outboxId, head: outbox.mark(CHAIN_MARK) },
    );
    outbox.append(
      [
        { channel: 'event', body: event },
        { channel: 'evidence', body: manifest },
      ],
      {
        uploads: [
          {
            ...{ sha256: still.sha256, sizeBytes: still.sizeBytes, role: still.role, eventId },
            ...{ path: files.path(still.sha256), class: 'derived' },
            priority: EVENT_SEVERITIES.indexOf(computeEventSeverity(event)),
          },
        ],
        marks: { [CHAIN_MARK]: head },
      },
    );
  }

  #buildFacts(event: Event): SealedFacts {
    const { policy, models, version } = this.#options;
    const { kind, rule, capturedAt, clockErrorMs, sceneSha256 } = event;
    return {
      eventSha256: computeEventSha256(event),
      ...{ kind, rule, capturedAt, clockErrorMs, sceneSha256 },
      parametersSha256: computeJsonSha256(policy),
      parameters: { ...policy },
      models: [...models()],
      softwareVersion: version,
    };
  }
}

function isClear({ verdict, looks, meanLogit = 0 }: WatchedPerson): boolean {
  return verdict === 'without' && looks >= MIN_LOOKS && meanLogit <= -MIN_LOGIT;
}

/** BGR24 as a JPEG. It lies in the work folder only, until its blurred form is made. */
async function writeFrame({ width, height, pixels }: Frame, file: string): Promise<void> {
  const rgb = new Uint8Array(pixels.length);
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    rgb[at] = pixels[at + 2] as number;
    rgb[at + 1] = pixels[at + 1] as number;
    rgb[at + 2] = pixels[at] as number;
  }
  await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toFile(file);
}

/** A person around a face, such that what is blurred as the head holds the face with a margin. */
function describePerson([x1, y1, x2, y2]: Box): SeenRoadUser {
  const [width, height] = [x2 - x1, y2 - y1];
  return {
    label: 'person',
    box: [x1 - 0.3 * width, y1 - 0.1 * height, x2 + 0.3 * width, y1 + 4.5 * height],
    occupants: [],
  };
}
