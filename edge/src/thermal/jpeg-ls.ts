import { spawn } from 'node:child_process';
import { NgatuError } from '@ngatu/contract';

const TIMEOUT_MS = 30_000;
const MESSAGE_CHARS = 400;

export interface JpegLsPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Decodes lossless JPEG-LS pictures of 16 bits in one run of ffmpeg. All have the size of the first.
 * @throws NgatuError THERMAL_INVALID, SETUP_PACKAGE_MISSING, CHILD_FAILED
 */
export async function decodeJpegLs(
  pictures: readonly JpegLsPicture[],
  signal: AbortSignal,
): Promise<Uint16Array[]> {
  const [first] = pictures;
  if (first === undefined) return [];
  const { width, height } = first;
  if (pictures.some((picture) => picture.width !== width || picture.height !== height))
    throw new NgatuError('THERMAL_INVALID', 'Cannot read FLIR data: its frames differ in size');
  const sizeBytes = width * height * 2;
  const parts = pictures.map((picture) => trimAfterEnd(picture));
  const raw = await runFfmpeg(parts, { limitBytes: sizeBytes * pictures.length, signal });
  if (raw.length !== sizeBytes * pictures.length)
    throw new NgatuError(
      'THERMAL_INVALID',
      `Cannot read FLIR data: ffmpeg decoded ${Math.floor(raw.length / sizeBytes)} of ${pictures.length} JPEG-LS frames`,
    );
  return pictures.map((_, index) => {
    const part = raw.subarray(index * sizeBytes, (index + 1) * sizeBytes);
    return new Uint16Array(part.buffer.slice(part.byteOffset, part.byteOffset + sizeBytes));
  });
}

/** Bytes of the frame header: its mark, length, precision, height and width. */
const FRAME_HEADER_BYTES = 9;
const START_OF_IMAGE_BYTES = 2;

/** Records are padded; ffmpeg would take what lies behind the end mark for another picture. */
function trimAfterEnd({ pixels, width, height }: JpegLsPicture): Uint8Array {
  if (pixels.length < START_OF_IMAGE_BYTES + FRAME_HEADER_BYTES)
    throw new NgatuError('THERMAL_INVALID', 'Cannot read FLIR data: its JPEG-LS is cut short');
  const view = new DataView(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const bits = view.getUint8(6);
  if (bits !== 16 || view.getUint16(7) !== height || view.getUint16(9) !== width)
    throw new NgatuError(
      'THERMAL_INVALID',
      `Cannot read FLIR data: its JPEG-LS is no ${width} × ${height} picture of 16 bits`,
    );
  const end = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength).lastIndexOf(
    Buffer.of(0xff, 0xd9),
  );
  if (end < 0)
    throw new NgatuError('THERMAL_INVALID', 'Cannot read FLIR data: its JPEG-LS has no end and is cut short');
  return pixels.subarray(0, end + 2);
}

interface DecodeLimits {
  readonly limitBytes: number;
  readonly signal: AbortSignal;
}

function runFfmpeg(parts: readonly Uint8Array[], limits: DecodeLimits): Promise<Buffer> {
  const args = [
    ...['-hide_banner', '-nostats', '-loglevel', 'error', '-xerror'],
    ...['-err_detect', 'explode', '-f', 'jpegls_pipe', '-i', 'pipe:0', '-fps_mode', 'passthrough'],
    ...['-f', 'rawvideo', '-pix_fmt', 'gray16le', 'pipe:1'],
  ];
  return new Promise((resolve, reject) => {
    const stop = AbortSignal.any([limits.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const child = spawn('ffmpeg', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: stop,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    let messages = '';
    child.stdout.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= limits.limitBytes) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      messages = (messages + text).slice(0, MESSAGE_CHARS);
    });
    // ffmpeg may close its input before it has read all of a damaged picture
    child.stdin.on('error', (error) => {
      messages = `${messages}${error.message}`.slice(0, MESSAGE_CHARS);
    });
    child.once('error', (cause) => reject(explainFailure(cause, stop.aborted)));
    child.once('close', (code) => {
      // whatever ffmpeg complains of, a picture that it mends holds wrong temperatures
      if (code === 0 && messages === '') resolve(Buffer.concat(chunks));
      else {
        const why = messages.trim().split('\n')[0] || `ffmpeg ended with ${code}`;
        reject(new NgatuError('THERMAL_INVALID', `Cannot read FLIR data: its JPEG-LS is not sound: ${why}`));
      }
    });
    for (const part of parts) child.stdin.write(part);
    child.stdin.end();
  });
}

function explainFailure(cause: Error, stopped: boolean): NgatuError {
  if ('code' in cause && cause.code === 'ENOENT')
    return new NgatuError('SETUP_PACKAGE_MISSING', 'Cannot read FLIR data: ffmpeg is not installed', {
      cause,
    });
  const why = stopped ? 'the decoder was stopped' : cause.message;
  return new NgatuError('CHILD_FAILED', `Cannot decode JPEG-LS: ${why}`, { retryable: true, cause });
}
