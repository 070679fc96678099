import {
  DEFAULT_PLATE_CONFIDENCE,
  type PlateReader,
  type PlateReading,
  readRgbPicture,
  votePlate,
} from '@ngatu/edge';
import { SeededRandom } from '@ngatu/simulators';
import sharp from 'sharp';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { type LabelledPlate, loadPlateFolder } from './plate-folder.ts';

export interface PlatePassageOptions {
  /** Folder with `images/` and `labels.csv`. */
  readonly dataDir: string;
  readonly reader: Pick<PlateReader, 'read'>;
  /** Height of the plate in the last picture of a passage, px; plates of fewer pixels are left out. */
  readonly heights: readonly number[];
  readonly on: Date;
  readonly seed: number;
}

interface Readings {
  readonly truth: string;
  readonly looks: readonly PlateReading[];
  readonly voted: PlateReading;
}

/** How plates of one height and number of lines are read. Covered are the states `read` and `ambiguous`. */
export interface PassageFigures {
  readonly height: number;
  readonly layout: LabelledPlate['layout'];
  /** Of single looks. */
  readonly look: { readonly coverage: Proportion; readonly precision: Proportion };
  /** Of the vote between all looks of a passage. */
  readonly vote: { readonly coverage: Proportion; readonly precision: Proportion };
}

/** Pictures of a passage, and how much smaller the plate is in the first than in the last. */
const PICTURES = 8;
const FIRST_SIZE = 0.8;
/** A box of a detector is off by so much of the plate's height, uniformly to both sides. */
const BOX_ERROR = 0.04;
const NOISE = 4;
const JPEG_QUALITY = 60;
const MARGIN_PX = 3;

/**
 * Makes passages of a camera out of pictures of plates: each comes closer, lies on the pixels in another way in every picture, with noise and
 * compression of its own; the plate, its angle and its light stay, as in a real passage. How sure a vote between looks may be shows here.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluatePlatePassages(
  { dataDir, reader, heights, on, seed }: PlatePassageOptions,
  signal: AbortSignal,
): Promise<readonly PassageFigures[]> {
  const plates = await loadPlateFolder(dataDir);
  const figures: PassageFigures[] = [];
  for (const height of heights) {
    const random = new SeededRandom(seed + height);
    const read = { 'one-line': [] as Readings[], 'two-line': [] as Readings[] };
    for (const { file, text, layout } of plates) {
      signal.throwIfAborted();
      const picture = await readRgbPicture(file);
      if (picture.height < height) continue;
      const looks = [];
      for (let index = 0; index < PICTURES; index++) {
        const size = height * (FIRST_SIZE + ((1 - FIRST_SIZE) * index) / (PICTURES - 1));
        const { seen, box } = await photograph(picture, size, random);
        looks.push(await reader.read(seen, box));
      }
      const single = looks.map((look) => votePlate([look], { on }));
      read[layout].push({ truth: text, looks: single, voted: votePlate(looks, { on }) });
    }
    for (const [layout, passages] of Object.entries(read) as [LabelledPlate['layout'], Readings[]][])
      if (passages.length > 0) figures.push({ height, layout, ...score(passages) });
  }
  return figures;
}

type Pixels = Awaited<ReturnType<typeof readRgbPicture>>;

/** The plate in a picture of a camera, `height` px high. */
async function photograph(
  { data, width, height: sourceHeight }: Pixels,
  height: number,
  random: SeededRandom,
): Promise<{ seen: Pixels; box: [number, number, number, number] }> {
  const scale = height / sourceHeight;
  const left = Math.round((MARGIN_PX + random.next()) / scale);
  const top = Math.round((MARGIN_PX + random.next()) / scale);
  const columns = Math.ceil((width + 2 * left) * scale);
  const rows = Math.ceil((sourceHeight + 2 * top) * scale);
  const padded = {
    left,
    top,
    right: Math.max(0, Math.round(columns / scale) - width - left),
    bottom: Math.max(0, Math.round(rows / scale) - sourceHeight - top),
    background: { r: 70, g: 70, b: 72 },
  };
  const around = await sharp(data, { raw: { width, height: sourceHeight, channels: 3 } })
    .extend(padded)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width: allWidth, height: allHeight } = around.info;
  const small = await sharp(around.data, { raw: { width: allWidth, height: allHeight, channels: 3 } })
    .resize(columns, rows, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  const noisy = Buffer.from(
    small.map((value) => Math.min(255, Math.max(0, value + random.gaussian(0, NOISE)))),
  );
  const jpeg = await sharp(noisy, { raw: { width: columns, height: rows, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
  const seen = await sharp(jpeg).raw().toBuffer();
  const off = (): number => random.between(-BOX_ERROR, BOX_ERROR) * height;
  const [stepX, stepY] = [columns / allWidth, rows / allHeight];
  const [x, y] = [left * stepX, top * stepY];
  return {
    seen: { data: seen, width: columns, height: rows, channels: 3 },
    box: [x + off(), y + off(), x + width * stepX + off(), y + sourceHeight * stepY + off()],
  };
}

function score(passages: readonly Readings[]): Pick<PassageFigures, 'look' | 'vote'> {
  const judge = (all: readonly { truth: string; reading: PlateReading }[]) => {
    const covered = all.filter(({ reading }) => reading.state !== 'unreadable');
    const right = covered.filter(({ truth, reading }) => reading.text === truth);
    return {
      coverage: computeProportion(covered.length, all.length),
      precision: computeProportion(right.length, covered.length),
    };
  };
  return {
    look: judge(passages.flatMap(({ truth, looks }) => looks.map((reading) => ({ truth, reading })))),
    vote: judge(passages.map(({ truth, voted }) => ({ truth, reading: voted }))),
  };
}

/** A table for people. No plate stands in it. */
export function formatPassageTable(figures: readonly PassageFigures[], readers: readonly string[]): string {
  const line = (figure: { coverage: Proportion; precision: Proportion }): string =>
    `${formatProportion(figure.coverage).padEnd(30)} ${formatProportion(figure.precision).padEnd(30)}`;
  return [
    `passages of ${PICTURES} pictures, read by ${readers.join(' + ')} from a confidence of ${DEFAULT_PLATE_CONFIDENCE} on`,
    `${'px'.padEnd(4)}${'lines'.padEnd(10)}${'one look: coverage'.padEnd(31)}${'precision'.padEnd(31)}${'vote: coverage'.padEnd(31)}precision`,
    ...figures.map(({ height, layout, look, vote }) =>
      `${String(height).padEnd(4)}${layout.padEnd(10)}${line(look)} ${line(vote)}`.trimEnd(),
    ),
  ].join('\n');
}
