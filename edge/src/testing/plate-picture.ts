import sharp from 'sharp';
import type { PlatePicture } from '../plate/plate-reading.ts';

/** Strokes of the characters that are drawn here, in a box of 100 × 180. */
const STROKES: Readonly<Record<string, string>> = {
  '0': 'M50 0A48 50 0 0 1 98 50V130A48 50 0 0 1 2 130V50A48 50 0 0 1 50 0Z',
  '1': 'M30 36L68 0V180',
  '2': 'M4 52A46 50 0 1 1 88 84L2 180H100',
  '4': 'M64 0L0 124H100M76 70V180',
  '7': 'M0 0H100L38 180',
  A: 'M0 180L50 0L100 180M18 122H82',
  F: 'M96 0H6V180M6 88H84',
  H: 'M6 0V180M94 0V180M6 88H94',
  '-': 'M20 92H80',
  '.': 'M46 172H54V180H46Z',
};

/** A white plate with what stands on it in black, `blur` in px of a plate that is 300 px wide. */
export async function drawPlate(lines: readonly string[], blur = 0.8): Promise<PlatePicture> {
  const [width, height] = lines.length === 1 ? [300, 66] : [300, 220];
  const rowHeight = height / lines.length;
  const rows = lines.map((line, row) => {
    const step = Math.min((width - 30) / line.length, rowHeight * 0.62);
    const left = (width - step * line.length) / 2 + step * 0.12;
    const [scaleX, scaleY] = [(step * 0.72) / 100, (rowHeight * 0.7) / 180];
    const glyphs = [...line].map((character, at) => {
      const place = `translate(${left + at * step} ${row * rowHeight + rowHeight * 0.16}) scale(${scaleX} ${scaleY})`;
      return `<path transform="${place}" d="${STROKES[character] ?? ''}"/>`;
    });
    return `<g fill="none" stroke="#151515" stroke-width="26">${glyphs.join('')}</g>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#e8e8e4"/>${rows.join('')}</svg>`;
  const image = sharp(Buffer.from(svg)).blur(Math.max(0.3, blur)).removeAlpha().toColourspace('srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 3 };
}
