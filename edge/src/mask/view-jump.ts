import type { BgrPicture } from './face-picture.ts';

const COLUMNS = 24;
const ROWS = 18;
const SAMPLES = 4;
/** Mean change of the luma from which two pictures show different places, of 255. */
const JUMP = 38;
/** And of this share of all fields by more than `FIELD_CHANGE`: somebody who walks past the lens changes a part only. */
const CHANGED_SHARE = 0.6;
const FIELD_CHANGE = 20;

/** Tells where the picture jumps to another view (a preset of a moving camera, a cut): who was followed before is not who is there now. */
export class ViewJump {
  #last: Float64Array | undefined;

  /** True where this picture shows another view than the one before. */
  add(picture: BgrPicture): boolean {
    const fields = measureFields(picture);
    const before = this.#last;
    this.#last = fields;
    if (before === undefined) return false;
    let sum = 0;
    let changed = 0;
    fields.forEach((value, at) => {
      const change = Math.abs(value - (before[at] as number));
      sum += change;
      if (change > FIELD_CHANGE) changed += 1;
    });
    return sum / fields.length > JUMP && changed > CHANGED_SHARE * fields.length;
  }
}

function measureFields({ width, height, pixels }: BgrPicture): Float64Array {
  return Float64Array.from({ length: COLUMNS * ROWS }, (_, at) => {
    const [column, row] = [at % COLUMNS, Math.floor(at / COLUMNS)];
    let sum = 0;
    for (let sample = 0; sample < SAMPLES ** 2; sample++) {
      const x = Math.floor(((column + ((sample % SAMPLES) + 0.5) / SAMPLES) * width) / COLUMNS);
      const y = Math.floor(((row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) * height) / ROWS);
      const from = (y * width + x) * 3;
      sum += 0.114 * (pixels[from] ?? 0) + 0.587 * (pixels[from + 1] ?? 0) + 0.299 * (pixels[from + 2] ?? 0);
    }
    return sum / SAMPLES ** 2;
  });
}
