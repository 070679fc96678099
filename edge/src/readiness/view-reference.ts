import { Buffer } from 'node:buffer';
import type { LumaPicture } from './luma-picture.ts';

/** By day and by lamp light a street looks like two: each has a reference of its own. */
export type Light = 'bright' | 'dark';

export interface ReferencePicture {
  readonly picture: LumaPicture;
  readonly sharpness?: number;
  readonly takenAtMs: number;
}

/** The pictures with which a camera is compared: medians over a minute, 160 px wide. Who passes is not in them, and who stands all the time is a few grey pixels. */
export type ViewReference = Readonly<Partial<Record<Light, ReferencePicture>>>;

interface StoredPicture {
  readonly width: number;
  readonly height: number;
  readonly luma: string;
  readonly sharpness?: number;
  readonly takenAtMs: number;
}

/** As text that survives a restart; belongs to one scene, as whoever draws a scene anew looks at the view as it is then. */
export function encodeViewReference(reference: ViewReference, sceneSha256: string): string {
  const stored = Object.fromEntries(
    Object.entries(reference).map(([light, { picture, sharpness, takenAtMs }]) => {
      const luma = Buffer.from(picture.values).toString('base64');
      const entry: StoredPicture = { width: picture.width, height: picture.height, luma, takenAtMs };
      return [light, sharpness === undefined ? entry : { ...entry, sharpness }];
    }),
  );
  return JSON.stringify({ version: 1, sceneSha256, pictures: stored });
}

/** Undefined where the text is no reference of this scene: a new one is then taken. */
export function decodeViewReference(text: string, sceneSha256: string): ViewReference | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isObject(value) || value['version'] !== 1 || value['sceneSha256'] !== sceneSha256) return undefined;
  const pictures = value['pictures'];
  if (!isObject(pictures)) return undefined;
  const bright = decodePicture(pictures['bright']);
  const dark = decodePicture(pictures['dark']);
  return { ...(bright === undefined ? {} : { bright }), ...(dark === undefined ? {} : { dark }) };
}

function decodePicture(value: unknown): ReferencePicture | undefined {
  if (!isObject(value)) return undefined;
  const { width, height, luma, sharpness, takenAtMs } = value;
  if (typeof width !== 'number' || typeof height !== 'number' || typeof luma !== 'string') return undefined;
  if (typeof takenAtMs !== 'number') return undefined;
  const values = new Uint8Array(Buffer.from(luma, 'base64'));
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!isWhole || values.length !== width * height) return undefined;
  const picture = { width, height, values };
  return { picture, takenAtMs, ...(typeof sharpness === 'number' ? { sharpness } : {}) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
