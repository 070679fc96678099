import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';

/** A picture in memory: BGR24, row-major, `width * height * 3` bytes. */
export interface BgrPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** What a network makes of a pixel value 0–255, and in which order it wants the colours. */
export interface TensorColours {
  readonly order: 'bgr' | 'rgb';
  readonly scale: number;
  /** Added after the factor. */
  readonly offset: number;
  /** Pixel value of what the picture leaves free, 0–255; black where it is left out. */
  readonly pad?: number;
}

/** How a part of a picture lies in the tensor: scaled to `width × height`, at the top left of `columns × rows`. */
export interface TensorPlace {
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
}

/** Whole-pixel part of a picture that may stick out of it; what lies outside is grey. */
export interface PictureRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** `[1, 3, rows, columns]` float32 NCHW. A new array for each call. */
export async function fillTensor(
  picture: BgrPicture,
  region: PictureRegion,
  place: TensorPlace,
  { order, scale, offset, pad = 0 }: TensorColours,
): Promise<Float32Array> {
  const pixels = await cutScaled(picture, region, place);
  const { columns, rows, width, height } = place;
  const area = columns * rows;
  const planes = new Float32Array(3 * area);
  const empty = pad * scale + offset;
  if (empty !== 0 && (width < columns || height < rows)) planes.fill(empty);
  const first = order === 'bgr' ? 0 : 2 * area;
  const third = order === 'bgr' ? 2 * area : 0;
  for (let y = 0, from = 0; y < height; y++) {
    for (let to = y * columns, end = to + width; to < end; to++, from += 3) {
      planes[to + first] = (pixels[from] as number) * scale + offset;
      planes[to + area] = (pixels[from + 1] as number) * scale + offset;
      planes[to + third] = (pixels[from + 2] as number) * scale + offset;
    }
  }
  return planes;
}

/** The region at `width × height`, BGR24. */
export async function cutScaled(
  picture: BgrPicture,
  region: PictureRegion,
  { width, height }: Pick<TensorPlace, 'width' | 'height'>,
): Promise<Uint8Array> {
  const left = Math.max(0, region.x);
  const top = Math.max(0, region.y);
  const right = Math.min(picture.width, region.x + region.width);
  const bottom = Math.min(picture.height, region.y + region.height);
  if (right <= left || bottom <= top) return new Uint8Array(width * height * 3);
  const cut = sharp(picture.pixels, {
    raw: { width: picture.width, height: picture.height, channels: 3 },
  }).extract({
    left,
    top,
    width: right - left,
    height: bottom - top,
  });
  const outside = {
    left: left - region.x,
    top: top - region.y,
    right: region.x + region.width - right,
    bottom: region.y + region.height - bottom,
  };
  const isInside = Object.values(outside).every((border) => border === 0);
  // sharp scales before it extends, whatever the order of the calls: a region that sticks out goes through it twice
  const source = isInside
    ? cut
    : sharp(
        await cut
          .extend({ ...outside, background: '#727272' })
          .raw()
          .toBuffer(),
        {
          raw: { width: region.width, height: region.height, channels: 3 },
        },
      );
  return source.resize(width, height, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer();
}

/** Shorter side of a box, px. */
export function computeShortSide([x1, y1, x2, y2]: Box): number {
  return Math.min(x2 - x1, y2 - y1);
}
