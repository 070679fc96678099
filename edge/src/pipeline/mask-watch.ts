import type { Frame } from '../frame/frame.ts';
import { type Box, computeIou } from '../geometry/box.ts';
import type { FaceFinding } from '../mask/face-decoder.ts';
import { computeShortSide } from '../mask/face-picture.ts';
import { assessFace, DEFAULT_QUALITY_LIMITS, type QualityLimits } from '../mask/face-quality.ts';
import type { FaceSight } from '../mask/face-sight.ts';
import { MaskEvidence, type MaskJudgement } from '../mask/mask-evidence.ts';
import { ViewJump } from '../mask/view-jump.ts';
import type { RoadUser } from '../track/track.ts';
import { Tracker } from '../track/tracker.ts';

/** A person who has left the picture, or was followed for long enough to be counted. */
export interface WatchedPerson extends MaskJudgement {
  /** From 1 within one watch; never used again. */
  readonly personId: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Largest shorter side that the face had, px of the source picture. */
  readonly largestPx: number;
  /** Where it was asked for, of a person without a mask: the picture that says so most clearly. */
  readonly picture?: KeptPicture;
}

/** A picture that is kept until its person is counted. */
export interface KeptPicture {
  readonly frame: Frame;
  /** Of the person's face; source pixels. */
  readonly box: Box;
  /** Of every face that was found in it; pixels of the picture. */
  readonly faces: readonly Box[];
}

/** A face in one picture, as it was followed. */
export interface WatchedFace {
  readonly personId: number;
  /** Source pixels. */
  readonly box: Box;
  readonly confidence: number;
}

export interface MaskFrame {
  readonly faces: readonly WatchedFace[];
  /** Who is counted with this picture. */
  readonly counted: readonly WatchedPerson[];
}

export interface MaskWatchOptions {
  readonly sight: FaceSight;
  readonly limits?: Partial<QualityLimits>;
  /** Keep the clearest picture of whoever seems to wear no mask, until the person is counted. */
  readonly keepsPictures?: boolean;
}

/** Findings of this share of the threshold carry a track on; a track begins with one above it. */
const FOLLOW_SHARE = 0.6;
/** Judging takes longer than finding: so many faces of one picture at most are judged, those first who were judged least. */
const MAX_JUDGED = 3;
/** Somebody who was judged so often is known. */
const ENOUGH_LOOKS = 6;
/** Somebody who stays is counted after this long, and not again, ms. */
const COUNT_AFTER_MS = 60_000;
/** A face that is found once or twice and never again is not a person that was seen. */
const MIN_HITS = 3;
/** Faces are lost behind others, and found again, ms. */
const MAX_LOST_MS = 2_000;
/**
 * Who begins where somebody was lost so recently is that person: at a few pictures a second a face that bobs is often farther from where it was
 * expected than its own size allows. So near is so much of the face's size, and sizes differ by this factor at most.
 */
const SAME_PERSON = { withinMs: 1_000, distance: 0.75, sizeFactor: 1.7 };
/** A face of this size or more is as clear as one gets, px. */
const CLEAR_SIZE_PX = 48;
/** Pictures that are kept at the same time at most, each of some MB; those who come later have none. */
const MAX_KEPT = 6;
/** The face of a track is the finding that lies on its box. */
const OWN_FACE_IOU = 0.99;

interface SeenFace {
  readonly personId: number;
  readonly box: Box;
  readonly finding: FaceFinding;
  readonly person: Person;
}

interface Person {
  readonly evidence: MaskEvidence;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  /** Where the face was seen last, source pixels. */
  box: Box;
  hits: number;
  largestPx: number;
  /** Looks in which it was no face. */
  strange: number;
  counted: boolean;
  kept?: KeptPicture & { readonly clarity: number };
}

/**
 * Follows the faces of one camera and judges each person once, over all pictures in which the face was seen. Frame → faces → tracks →
 * one verdict a person. Apart from the network it is pure; time comes in with the frames.
 */
export class MaskWatch {
  readonly #sight: FaceSight;
  readonly #limits: QualityLimits;
  readonly #keepsPictures: boolean;
  readonly #jump = new ViewJump();
  #tracker: Tracker;
  #persons = new Map<number, Person>();
  /** Tracks that go on with a person whose own track was lost, and that person. */
  readonly #successors = new Map<number, number>();
  /** Track ids of the tracker that is in use begin after this. */
  #offset = 0;
  #lastId = 0;
  #session: string | undefined;

  constructor({ sight, limits = {}, keepsPictures = false }: MaskWatchOptions) {
    this.#sight = sight;
    this.#keepsPictures = keepsPictures;
    this.#limits = { ...DEFAULT_QUALITY_LIMITS, ...limits };
    this.#tracker = openTracker(sight.sureConfidence);
  }

  /** Frames of a session must come in order of presentation. @throws NgatuError MODEL_INVALID where the inference fails */
  async process(frame: Frame): Promise<MaskFrame> {
    const isJump = this.#jump.add(frame) || (this.#session !== undefined && this.#session !== frame.session);
    this.#session = frame.session;
    const before = isJump ? this.finish() : [];
    const toSource = frame.sourceWidth / frame.width;
    const findings = await this.#sight.find(frame, FOLLOW_SHARE * this.#sight.sureConfidence);
    const users = findings.map((finding) => describeFace(finding, toSource));
    const tracks = this.#tracker.update(users, frame.capturedAtMs);
    const faces: SeenFace[] = [];
    const seenNow = new Set(tracks.filter(({ seen }) => seen).map(({ trackId }) => this.#identify(trackId)));
    for (const { trackId, seen, box } of tracks) {
      const finding = findings.find((_, at) => computeIou(users[at]?.box ?? box, box) >= OWN_FACE_IOU);
      if (!seen || finding === undefined) continue;
      if (!this.#persons.has(this.#identify(trackId)))
        this.#succeed(trackId, box, frame.capturedAtMs, seenNow);
      const personId = this.#identify(trackId);
      seenNow.add(personId);
      faces.push({ personId, box, finding, person: this.#see(personId, frame, { finding, box }) });
    }
    await this.#judge(
      frame,
      faces,
      findings.map(({ box }) => box),
    );
    const alive = new Set(tracks.map(({ trackId }) => this.#identify(trackId)));
    const counted = [...before, ...this.#count(alive, frame.capturedAtMs)];
    return {
      faces: faces.map(({ personId, box, finding }) => ({ personId, box, confidence: finding.confidence })),
      counted,
    };
  }

  /** Whoever is still followed; the next picture begins anew. */
  finish(): WatchedPerson[] {
    const counted = this.#count(new Set(), Number.POSITIVE_INFINITY);
    this.#offset = this.#lastId;
    this.#successors.clear();
    this.#tracker = openTracker(this.#sight.sureConfidence);
    return counted;
  }

  /** The person whom a track follows. */
  #identify(trackId: number): number {
    const own = this.#offset + trackId;
    return this.#successors.get(own) ?? own;
  }

  /** A new track takes over the person who was lost here a moment ago, if there is one. */
  #succeed(trackId: number, box: Box, atMs: number, seenNow: ReadonlySet<number>): void {
    this.#lastId = Math.max(this.#lastId, this.#offset + trackId);
    let nearest = SAME_PERSON.distance;
    for (const [personId, person] of this.#persons) {
      if (seenNow.has(personId) || atMs - person.lastSeenMs > SAME_PERSON.withinMs) continue;
      const distance = compareFaces(person.box, box);
      if (distance >= nearest) continue;
      nearest = distance;
      this.#successors.set(this.#offset + trackId, personId);
    }
  }

  #see(
    personId: number,
    frame: Frame,
    { finding, box }: { readonly finding: FaceFinding; readonly box: Box },
  ): Person {
    const atMs = frame.capturedAtMs;
    const person = this.#persons.get(personId) ?? openPerson(atMs, box);
    this.#persons.set(personId, person);
    this.#lastId = Math.max(this.#lastId, personId);
    person.box = box;
    person.hits += 1;
    person.lastSeenMs = atMs;
    const sizePx = (computeShortSide(finding.box) * frame.sourceWidth) / frame.width;
    person.largestPx = Math.max(person.largestPx, sizePx);
    return person;
  }

  /** Looks at those who are not known yet, the least known first. */
  async #judge(frame: Frame, faces: readonly SeenFace[], found: readonly Box[]): Promise<void> {
    const waiting = faces
      .filter(({ person }) => !person.counted && person.evidence.looks < ENOUGH_LOOKS)
      .sort((a, b) => a.person.evidence.looks - b.person.evidence.looks);
    let judged = 0;
    for (const { person, finding, box } of waiting) {
      const atMs = frame.capturedAtMs;
      if (!person.evidence.isDue(atMs)) continue;
      const toSource = frame.sourceWidth / frame.width;
      const quality = await assessFace(frame, finding, { toSource, limits: this.#limits });
      if (quality.doubt !== undefined) {
        person.evidence.addDoubt(quality.doubt);
        continue;
      }
      if (judged >= MAX_JUDGED) continue;
      judged += 1;
      const { faceLogit, maskLogit } = await this.#sight.judge(frame, finding);
      if (faceLogit < 0) person.strange += 1;
      else if (maskLogit === undefined) person.evidence.addDoubt('unclear');
      else {
        const fingerprint = computeFingerprint(frame, finding.box);
        person.evidence.add({ atMs, maskLogit, quality, fingerprint });
        const clarity = -maskLogit * Math.min(1, quality.sizePx / CLEAR_SIZE_PX);
        this.#keep(person, { frame, box, faces: found, clarity });
      }
    }
  }

  #keep(person: Person, picture: KeptPicture & { readonly clarity: number }): void {
    if (!this.#keepsPictures || picture.clarity <= (person.kept?.clarity ?? 0)) return;
    const kept = [...this.#persons.values()].filter((other) => other.kept !== undefined).length;
    if (person.kept !== undefined || kept < MAX_KEPT) person.kept = picture;
  }

  #count(alive: ReadonlySet<number>, nowMs: number): WatchedPerson[] {
    const counted: WatchedPerson[] = [];
    for (const [personId, person] of this.#persons) {
      const isGone = !alive.has(personId);
      const isDue = isGone || nowMs - person.firstSeenMs >= COUNT_AFTER_MS;
      if (isDue && !person.counted && person.hits >= MIN_HITS && person.strange <= person.evidence.looks) {
        const { firstSeenMs, lastSeenMs, largestPx, kept } = person;
        const judged = person.evidence.judge();
        const picture = kept === undefined || judged.verdict !== 'without' ? {} : { picture: kept };
        counted.push({ personId, firstSeenMs, lastSeenMs, largestPx, ...judged, ...picture });
        person.counted = true;
        delete person.kept;
      }
      if (isGone) this.#persons.delete(personId);
    }
    return counted;
  }
}

/** How far two boxes lie from each other, in sizes of a face; infinite where one face can hardly be the other. */
function compareFaces(one: Box, other: Box): number {
  const [from, to] = [measureBox(one), measureBox(other)];
  const ratio = from.size / to.size;
  if (Math.max(ratio, 1 / ratio) > SAME_PERSON.sizeFactor) return Number.POSITIVE_INFINITY;
  return Math.hypot(from.x - to.x, from.y - to.y) / Math.sqrt(from.size * to.size);
}

function measureBox([x1, y1, x2, y2]: Box): {
  readonly x: number;
  readonly y: number;
  readonly size: number;
} {
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2, size: Math.sqrt((x2 - x1) * (y2 - y1)) };
}

function openTracker(threshold: number): Tracker {
  return new Tracker({ newTrackConfidence: threshold, maxLostMs: MAX_LOST_MS });
}

function openPerson(atMs: number, box: Box): Person {
  return {
    evidence: new MaskEvidence(),
    firstSeenMs: atMs,
    lastSeenMs: atMs,
    box,
    hits: 0,
    largestPx: 0,
    strange: 0,
    counted: false,
  };
}

/** The tracker follows faces as it follows people on foot. */
function describeFace({ box, confidence }: FaceFinding, toSource: number): RoadUser {
  return {
    label: 'person',
    confidence,
    box: [box[0] * toSource, box[1] * toSource, box[2] * toSource, box[3] * toSource],
    occupants: [],
    groundHidden: false,
  };
}

/** FNV-1a over every few pixels of the face: two pictures of a living scene differ in their noise, a repeated one does not. */
function computeFingerprint({ width, height, pixels }: Frame, box: Box): number {
  const [x1, y1] = [Math.max(0, Math.floor(box[0])), Math.max(0, Math.floor(box[1]))];
  const [x2, y2] = [Math.min(width, Math.ceil(box[2])), Math.min(height, Math.ceil(box[3]))];
  let hash = 0x811c9dc5;
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x++)
      hash = Math.imul(hash ^ (pixels[(y * width + x) * 3 + 1] ?? 0), 0x01000193) >>> 0;
  }
  return Math.imul(hash ^ (x1 * 8192 + y1), 0x01000193) >>> 0;
}
