import { buildPlateAbsence, NgatuError, type PlateFinding } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { PlateLook, PlatePicture, PlateReading, PlateSubject } from '../plate/plate-reading.ts';
import { readPixels } from './blur-still.ts';
import { type BoundLook, bindPlates, type PlateView } from './plate-binding.ts';
import { findPlateScene } from './plate-frames.ts';
import type { PlateDesk, PlateJob, PlateOutcome } from './plate-job.ts';

/** Finds plates in a part of a picture and reads each. */
export interface PlateSearch {
  /** @throws NgatuError MODEL_INVALID where the inference fails */
  find(picture: PlatePicture, within: Box): Promise<readonly PlateLook[]>;
}

/** What reads plates, and how the looks of several pictures become one reading. */
interface PlateReadingParts {
  readonly search: PlateSearch;
  readonly vote: (looks: readonly PlateLook[], subject: PlateSubject) => PlateReading;
  readonly models: PlateFinding['models'];
}

/** A plate may stick out of the road user's box a little, shares of its size. */
const REGION_MARGIN = 0.06;
/** What the wire takes at most. */
const PLATE_TEXT = /^[0-9A-Z]{1,12}$/;
const MAX_CHARACTERS = 12;
const MAX_ALTERNATIVES = 8;

/** Reads plates in this process. */
export class LocalPlateDesk implements PlateDesk {
  readonly #parts: PlateReadingParts | 'model-missing' | 'model-failed';

  /** @param parts why there is nothing to read with, where there is nothing */
  constructor(parts: PlateReadingParts | 'model-missing' | 'model-failed') {
    this.#parts = parts;
  }

  async readPlate(job: PlateJob, signal: AbortSignal): Promise<PlateOutcome> {
    const parts = this.#parts;
    const { label } = job.subject;
    if (typeof parts === 'string') return { finding: buildPlateAbsence(parts) };
    if (label === 'person' || label === 'bicycle') return { finding: buildPlateAbsence('no-plate') };
    const { models } = parts;
    try {
      const views = await this.#look(parts, job, signal);
      const frames = views.length;
      if (frames === 0) return { finding: buildPlateAbsence('subject-unseen', { models }) };
      const binding = bindPlates(views);
      if (binding.state !== 'bound') return { finding: buildPlateAbsence(binding.state, { frames, models }) };
      const on = new Date(job.capturedAtMs);
      const reading = parts.vote(
        binding.looks.map(({ look }) => look),
        { class: label, on },
      );
      const best = chooseBest(binding.looks, reading);
      return {
        finding: describeFinding(reading, { job, frames, models, best }),
        best: { mediaTimeMs: best.mediaTimeMs, box: best.look.box },
      };
    } catch (error) {
      if (!(error instanceof NgatuError) || error.code !== 'MODEL_INVALID') throw error;
      return { finding: buildPlateAbsence('model-failed', { models }) };
    }
  }

  async #look({ search }: PlateReadingParts, job: PlateJob, signal: AbortSignal): Promise<PlateView[]> {
    const views: PlateView[] = [];
    for (const { mediaTimeMs, file } of job.frames) {
      signal.throwIfAborted();
      const scene = findPlateScene(job, mediaTimeMs);
      if (scene === undefined) continue;
      const picture = await readPixels(file);
      const within = growWithin(scene.subject.box, picture);
      if (within === undefined) continue;
      views.push({ mediaTimeMs, ...scene, looks: await search.find(picture, within) });
    }
    return views;
  }
}

function growWithin([x1, y1, x2, y2]: Box, { width, height }: PlatePicture): Box | undefined {
  const dx = REGION_MARGIN * (x2 - x1);
  const dy = REGION_MARGIN * (y2 - y1);
  const box: Box = [
    ...([Math.max(0, x1 - dx), Math.max(0, y1 - dy)] as const),
    ...([Math.min(width, x2 + dx), Math.min(height, y2 + dy)] as const),
  ];
  return box[2] - box[0] >= 1 && box[3] - box[1] >= 1 ? box : undefined;
}

/** The look that says what was decided most surely; of equals the larger one. */
function chooseBest(looks: readonly BoundLook[], { text }: PlateReading): BoundLook {
  const rank = ({ look }: BoundLook): number => {
    const { characters, box } = look;
    const spelt = characters.map(({ character }) => character).join('');
    const sum = characters.reduce((total, { confidence }) => total + confidence, 0);
    const mean = characters.length === 0 ? 0 : sum / characters.length;
    return (spelt === text ? 1 : 0) + mean + Math.min(1, (box[2] - box[0]) / 400) / 10;
  };
  return looks.reduce((best, one) => (rank(one) > rank(best) ? one : best));
}

interface FindingContext {
  readonly job: PlateJob;
  readonly frames: number;
  readonly models: PlateFinding['models'];
  readonly best: BoundLook;
}

function tellReason({ state, text }: PlateReading): Pick<PlateFinding, 'reason'> {
  if (state === 'read') return {};
  if (state === 'ambiguous') return { reason: 'several-plates' };
  return { reason: text === undefined ? 'illegible' : 'unsure' };
}

function describeFinding(reading: PlateReading, { job, frames, models, best }: FindingContext): PlateFinding {
  const { state, text, shown, confidence, format } = reading;
  const capturedMs = Math.round(job.capturedAtMs + best.mediaTimeMs - job.momentMs);
  return {
    state,
    ...tellReason(reading),
    ...(text === undefined || !PLATE_TEXT.test(text) ? {} : { text }),
    ...(shown === undefined ? {} : { shown }),
    ...(confidence === undefined ? {} : { confidence: round(confidence) }),
    ...(format === undefined ? {} : { format }),
    characters: reading.characters.slice(0, MAX_CHARACTERS).map(({ character, alternatives, ...one }) => ({
      ...{ character, confidence: round(one.confidence) },
      alternatives: alternatives
        .slice(0, MAX_ALTERNATIVES)
        .map((other) => ({ character: other.character, confidence: round(other.confidence) })),
    })),
    alternatives: reading.alternatives
      .filter((other) => PLATE_TEXT.test(other.text))
      .slice(0, MAX_ALTERNATIVES)
      .map((other) => ({ text: other.text, confidence: round(other.confidence) })),
    ...{ frames, looks: reading.looks, models },
    seen: {
      capturedAt: new Date(capturedMs).toISOString(),
      box: toShares(best.look.box, job),
    },
  };
}

/** Probabilities say nothing beyond the fourth digit, and a sealed number has one way to be written. */
function round(probability: number): number {
  return Math.min(1, Math.max(0, Math.round(probability * 10_000) / 10_000));
}

function toShares(
  [x1, y1, x2, y2]: Box,
  { width, height }: Pick<PlateJob, 'width' | 'height'>,
): [number, number, number, number] {
  return [round(x1 / width), round(y1 / height), round(x2 / width), round(y2 / height)];
}
