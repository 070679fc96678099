import sharp from 'sharp';

export const FLIR_SIZE = { width: 16, height: 12 };

/** Raw values round 24 °C of an SC660, each pixel another. */
export const FLIR_RAW = Uint16Array.from(
  { length: FLIR_SIZE.width * FLIR_SIZE.height },
  (_, i) => 18_000 + 7 * i,
);

/** Of the camera that writes these files. */
export const FLIR_PLANCK = { r1: 21_106.77, b: 1_501, f: 1, o: -7_340, r2: 0.012545258 };

/** An FFF record as a camera writes it: header, table of two records, calibration, pixels. */
export function buildFlirRecord(
  pixels: Uint8Array,
  order: 'little' | 'big' = 'little',
  size: { readonly width: number; readonly height: number; readonly takenAtMs?: number } = FLIR_SIZE,
): Buffer {
  const little = order === 'little';
  const cameraBytes = 0x390;
  const cameraAt = 64 + 2 * 32;
  const rawAt = cameraAt + cameraBytes;
  const file = Buffer.alloc(rawAt + 32 + pixels.length);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  file.write('FFF\0', 0, 'latin1');
  const header: [number, number][] = [
    [20, 101],
    [24, 64],
    [28, 2],
  ];
  for (const [at, value] of header) view.setUint32(at, value, little);
  const entry = (index: number, type: number, at: number, length: number): void => {
    view.setUint16(64 + 32 * index, type, little);
    view.setUint32(64 + 32 * index + 12, at, little);
    view.setUint32(64 + 32 * index + 16, length, little);
  };
  entry(0, 0x20, cameraAt, cameraBytes);
  entry(1, 0x01, rawAt, 32 + pixels.length);
  writeCamera(new DataView(file.buffer, file.byteOffset + cameraAt, cameraBytes), size.takenAtMs ?? 0);
  view.setUint16(rawAt, 2, true);
  view.setUint16(rawAt + 2, size.width, true);
  view.setUint16(rawAt + 4, size.height, true);
  file.set(pixels, rawAt + 32);
  return file;
}

function writeCamera(view: DataView, takenAtMs: number): void {
  view.setUint16(0, 2, true);
  view.setUint32(0x384, Math.floor(takenAtMs / 1_000), true);
  view.setUint16(0x388, takenAtMs % 1_000, true);
  const floats: [number, number][] = [
    [0x20, 0.95],
    [0x24, 1],
    [0x28, 293.15],
    [0x2c, 293.15],
    [0x30, 293.15],
    [0x34, 1],
    [0x3c, 0.5],
    [0x58, FLIR_PLANCK.r1],
    [0x5c, FLIR_PLANCK.b],
    [0x60, FLIR_PLANCK.f],
    [0x70, 0.006569],
    [0x74, 0.01262],
    [0x78, -0.002276],
    [0x7c, -0.00667],
    [0x80, 1.9],
    [0x30c, FLIR_PLANCK.r2],
  ];
  for (const [at, value] of floats) view.setFloat32(at, value, true);
  view.setInt32(0x308, FLIR_PLANCK.o, true);
  for (const [i, letter] of [...'FLIR TEST'].entries()) view.setUint8(0xd4 + i, letter.charCodeAt(0));
}

export function packPlain(raw: Uint16Array): Buffer {
  const bytes = Buffer.alloc(raw.length * 2);
  for (const [i, value] of raw.entries()) bytes.writeUInt16LE(value, 2 * i);
  return bytes;
}

/** FLIR's PNG: each sample with its bytes exchanged. */
export async function packPng(raw: Uint16Array, { width, height } = FLIR_SIZE): Promise<Buffer> {
  const swapped = raw.map((value) => ((value & 0xff) << 8) | (value >> 8));
  return sharp(swapped, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
}

/** A JPEG whose APP1 segments carry the record in parts of `partBytes`. */
export function wrapInJpeg(record: Buffer, partBytes = 300): Buffer {
  const count = Math.ceil(record.length / partBytes);
  const segments = Array.from({ length: count }, (_, index) => {
    const part = record.subarray(index * partBytes, (index + 1) * partBytes);
    const head = Buffer.from([0xff, 0xe1, 0, 0, 0x46, 0x4c, 0x49, 0x52, 0, 1, index, count - 1]);
    head.writeUInt16BE(part.length + 10, 2);
    return Buffer.concat([head, part]);
  });
  return Buffer.concat([Buffer.of(0xff, 0xd8), ...segments, Buffer.of(0xff, 0xda, 0, 2, 0xff, 0xd9)]);
}
