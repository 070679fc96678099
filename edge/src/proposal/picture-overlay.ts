import sharp from 'sharp';
import type { StillPicture } from './background.ts';

/** Small pictures are enlarged to this width, so that the writing can be read, px. */
const MIN_WIDTH = 1280;

/** Draws SVG shapes over a picture. `zoom` is drawn pixels per source pixel. */
export class PictureOverlay {
  readonly zoom: number;
  readonly #picture: StillPicture;
  readonly #width: number;
  readonly #height: number;
  readonly #shapes: string[] = [];

  constructor(picture: StillPicture) {
    this.#picture = picture;
    this.#width = Math.max(MIN_WIDTH, picture.width);
    this.#height = Math.round((picture.height * this.#width) / picture.width);
    this.zoom = this.#width / (picture.width * picture.scale);
  }

  /** A source point as SVG writes it. */
  at([x, y]: readonly [number, number]): string {
    return `${(x * this.zoom).toFixed(1)},${(y * this.zoom).toFixed(1)}`;
  }

  add(...shapes: readonly string[]): void {
    this.#shapes.push(...shapes);
  }

  /** Writing with a dark rim; `dx` and `dy` move it from the source point, drawn px. */
  write(
    content: string,
    [x, y]: readonly [number, number],
    colour: string,
    shift: readonly [number, number] = [0, 0],
  ): void {
    const [dx, dy] = shift;
    this.#shapes.push(
      `<text x="${(x * this.zoom + dx).toFixed(1)}" y="${(y * this.zoom + dy).toFixed(1)}" fill="${colour}" ` +
        `stroke="#000" stroke-width="3" paint-order="stroke" font-family="sans-serif" font-size="17">${content}</text>`,
    );
  }

  /** @returns a PNG */
  render(): Promise<Buffer> {
    const { width, height, pixels } = this.#picture;
    const size = `width="${this.#width}" height="${this.#height}"`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${this.#shapes.join('')}</svg>`;
    return sharp(toRgb(pixels), { raw: { width, height, channels: 3 } })
      .resize(this.#width, this.#height, { kernel: 'lanczos3' })
      .composite([{ input: Buffer.from(svg) }])
      .png()
      .toBuffer();
  }
}

function toRgb(bgr: Uint8Array): Buffer {
  const rgb = Buffer.from(bgr);
  for (let i = 0; i < rgb.length; i += 3) {
    const blue = rgb[i] ?? 0;
    rgb[i] = rgb[i + 2] ?? 0;
    rgb[i + 2] = blue;
  }
  return rgb;
}
