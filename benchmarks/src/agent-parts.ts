import { spawn } from 'node:child_process';
import { NgatuError } from '@ngatu/contract';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Pictures that the inference is measured on, spread over the clip. */
const PICTURES = 24;
const ROUNDS = 4;
const INPUT_STEP = 32;

/**
 * CPU time of decoding the clip and scaling nothing: what no agent can do without. ffmpeg counts it itself (`-benchmark`).
 * @throws NgatuError VIDEO_UNREADABLE
 */
export async function measureDecodeSeconds(
  video: string,
  signal: AbortSignal,
): Promise<{ cpuSeconds: number; frames: number }> {
  const args = ['-nostdin', '-hide_banner', '-benchmark', '-i', video, '-map', '0:v:0'];
  const text = await runFfmpeg(
    [...args, '-fps_mode', 'passthrough', '-pix_fmt', 'bgr24', '-f', 'rawvideo', '-y', '/dev/null'],
    signal,
  );
  const user = /utime=([\d.]+)s/.exec(text)?.[1];
  const system = /stime=([\d.]+)s/.exec(text)?.[1];
  const frames = [...text.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1];
  if (user === undefined || system === undefined || frames === undefined) {
    throw new NgatuError('VIDEO_UNREADABLE', `Cannot measure ${video}: ffmpeg printed no benchmark`);
  }
  return { cpuSeconds: Number(user) + Number(system), frames: Number(frames) };
}

async function runFfmpeg(args: readonly string[], signal: AbortSignal): Promise<string> {
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new NgatuError('VIDEO_UNREADABLE', `Cannot decode: ${text.trim().slice(-300)}`);
  return text;
}

/** CPU time of one inference on pictures of the clip, s. Preparing the tensors is not counted. */
export async function measureInferenceSeconds(options: {
  readonly video: string;
  readonly picture: { readonly width: number; readonly height: number };
  readonly model: string;
  readonly threads: number;
}): Promise<number> {
  const { width, height } = options.picture;
  const size = {
    width: Math.ceil(width / INPUT_STEP) * INPUT_STEP,
    height: Math.ceil(height / INPUT_STEP) * INPUT_STEP,
  };
  const tensors = (await readPictures(options.video, options.picture)).map((pixels) =>
    toTensor(pixels, options.picture, size),
  );
  const session = await InferenceSession.create(options.model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  try {
    for (const images of tensors.slice(0, 4)) await session.run({ images });
    const begin = process.cpuUsage();
    for (let round = 0; round < ROUNDS; round++) {
      for (const images of tensors) await session.run({ images });
    }
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1e6 / (ROUNDS * tensors.length);
  } finally {
    await session.release();
  }
}

async function readPictures(
  video: string,
  { width, height }: { width: number; height: number },
): Promise<Uint8Array[]> {
  const filter = `thumbnail=n=8,scale=${width}:${height}`;
  const args = ['-nostdin', '-v', 'error', '-i', video, '-vf', filter, '-frames:v', String(PICTURES)];
  const child = spawn('ffmpeg', [...args, '-pix_fmt', 'bgr24', '-f', 'rawvideo', 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const size = width * height * 3;
  const pictures: Uint8Array[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) pictures.push(bytes.subarray(at, at + size));
  if (pictures.length === 0) throw new NgatuError('VIDEO_UNREADABLE', `Cannot read ${video}: no picture`);
  return pictures;
}

/** `[1, 3, H, W]` float32 BGR 0–255, padded with 114 at the right and bottom. */
function toTensor(
  pixels: Uint8Array,
  picture: { width: number; height: number },
  size: { width: number; height: number },
): Tensor {
  const plane = size.width * size.height;
  const data = new Float32Array(3 * plane).fill(114);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const from = (y * picture.width + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        data[channel * plane + y * size.width + x] = pixels[from + channel] ?? 0;
      }
    }
  }
  return new Tensor('float32', data, [1, 3, size.height, size.width]);
}
