import { spawn } from 'node:child_process';
import { NgatuError } from '@ngatu/contract';

/** RGB24, row-major, `width * height * 3` bytes; whoever holds it owns it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export interface DecodeOptions {
  /** Of the file, s. */
  readonly fromS?: number;
  readonly durationS?: number;
  /** Pictures a second; every one where it is left out. */
  readonly fps?: number;
  /** Scaled down to this width where it is wider, px. */
  readonly maxWidth?: number;
}

const MAX_HEADER_BYTES = 64;
const MAX_PICTURE_BYTES = 64_000_000;
const STDERR_BYTES = 2_000;

/**
 * Decodes the pictures of a video or image file, one after another; ffmpeg waits while nobody takes them.
 * @throws NgatuError VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING
 */
export async function* decodePictures(
  file: string,
  options: DecodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Picture> {
  if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot decode ${file}: stopped`);
  const child = spawn('ffmpeg', buildArguments(file, options), { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES);
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  exited.catch(() => undefined);
  let count = 0;
  try {
    for await (const picture of splitPictures(child.stdout, file)) {
      count += 1;
      yield picture;
    }
    const code = await exited;
    if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot decode ${file}: stopped`);
    if (code !== 0 || count === 0) {
      const reason = stderr.trim().split('\n').at(-1) ?? 'no picture in it';
      throw new NgatuError('VIDEO_UNREADABLE', `Cannot decode ${file}: ${reason || 'no picture in it'}`);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new NgatuError('SETUP_PACKAGE_MISSING', `Cannot decode ${file}: ffmpeg is not installed`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await exited.catch(() => undefined);
  }
}

function buildArguments(file: string, { fromS, durationS, fps, maxWidth }: DecodeOptions): string[] {
  const filters = [
    ...(fps === undefined ? [] : [`fps=${fps}`]),
    ...(maxWidth === undefined ? [] : [`scale='min(iw,${maxWidth})':-1:flags=fast_bilinear`]),
  ];
  return [
    ...['-nostdin', '-v', 'error'],
    ...(fromS === undefined ? [] : ['-ss', String(fromS)]),
    ...(durationS === undefined ? [] : ['-t', String(durationS)]),
    ...['-i', file, '-an', '-fps_mode', fps === undefined ? 'passthrough' : 'cfr'],
    ...(filters.length === 0 ? [] : ['-vf', filters.join(',')]),
    ...['-f', 'image2pipe', '-c:v', 'ppm', 'pipe:1'],
  ];
}

/** Portable pixmaps, binary (`P6`), one after another. */
async function* splitPictures(stream: AsyncIterable<Buffer>, file: string): AsyncGenerator<Picture> {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  let wanted = 0;
  let header: { width: number; height: number; bytes: number } | undefined;
  for await (const chunk of stream) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    while (sizeBytes > 0 && sizeBytes >= wanted) {
      const data: Buffer = chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks);
      chunks = [data];
      header ??= readHeader(data, file);
      if (header === undefined) break;
      wanted = header.bytes + header.width * header.height * 3;
      if (sizeBytes < wanted) break;
      const pixels = new Uint8Array(data.subarray(header.bytes, wanted));
      yield { width: header.width, height: header.height, pixels };
      chunks = wanted < sizeBytes ? [data.subarray(wanted)] : [];
      sizeBytes -= wanted;
      wanted = 0;
      header = undefined;
    }
  }
}

function readHeader(
  data: Buffer,
  file: string,
): { width: number; height: number; bytes: number } | undefined {
  const text = data.subarray(0, MAX_HEADER_BYTES).toString('latin1');
  const found = /^P6\s(\d+)\s(\d+)\s255\s/.exec(text);
  if (found === null) {
    if (data.length < MAX_HEADER_BYTES) return undefined;
    throw new NgatuError('VIDEO_UNREADABLE', `Cannot decode ${file}: ffmpeg gave no pixmap`);
  }
  const [whole, width, height] = [found[0], Number(found[1]), Number(found[2])];
  if (width * height * 3 > MAX_PICTURE_BYTES) {
    throw new NgatuError(
      'VIDEO_UNREADABLE',
      `Cannot decode ${file}: a picture of ${width}×${height} is too large`,
    );
  }
  return { width, height, bytes: whole.length };
}
