import { execFileSync } from 'node:child_process';
import { chmodSync, constants, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seen } from './gate-rig.ts';

const FRAME_MS = 1_000 / 9;

/** Hundredths of a kelvin, low byte first. */
export function toY16({ celsius }: Seen): Buffer {
  const raw = Uint16Array.from(celsius, (value) => Math.round((value + 273.15) * 100));
  return Buffer.from(raw.buffer);
}

/** What an agent is told of such a device. */
export const HUNDREDTHS = { kind: 'linear', gain: 0.01, offsetC: -273.15 };

/**
 * A FIFO of raw Y16 pictures in the place of a video device. No kernel of the tests has one: while this runs, `ffmpeg` is a script that calls
 * the real one with `-f rawvideo -pixel_format` where `-f v4l2 -input_format` was asked for, and with the size that the "driver" chose.
 * All else is the product's: its arguments, its filter, its pipes, its mapping.
 */
export class Y16Device implements AsyncDisposable {
  readonly path: string;
  readonly #sizeFile: string;
  readonly #oldPath = process.env['PATH'];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #pictures: readonly Buffer[] = [];
  #isMute = false;
  #open: FileHandle | undefined;

  constructor(folder: string, asked: string) {
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, 'video-device');
    this.#sizeFile = join(folder, 'size');
    writeFileSync(this.#sizeFile, asked);
    execFileSync('mkfifo', [this.path]);
    const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
    const script = join(folder, 'ffmpeg');
    writeFileSync(
      script,
      `#!/bin/sh
for arg do
  shift
  case "$arg" in
    v4l2) arg=rawvideo ;;
    -input_format) arg=-pixel_format ;;
    ${asked}) arg=$(cat '${this.#sizeFile}') ;;
  esac
  set -- "$@" "$arg"
done
exec '${real}' "$@"
`,
    );
    chmodSync(script, 0o755);
    process.env['PATH'] = `${folder}${delimiter}${this.#oldPath ?? ''}`;
    this.#running = this.#run();
  }

  /** Gives these pictures, over and over, nine a second. */
  show(pictures: readonly Buffer[]): void {
    this.#pictures = pictures;
  }

  /** Stays open and gives nothing. */
  set mute(isMute: boolean) {
    this.#isMute = isMute;
  }

  /** What the driver makes of the size that it was asked for. */
  set size(size: string) {
    writeFileSync(this.#sizeFile, size);
  }

  /** The cable is drawn. */
  async unplug(): Promise<void> {
    renameSync(this.path, `${this.path}.away`);
    await this.#close();
  }

  plugIn(): void {
    renameSync(`${this.path}.away`, this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    process.env['PATH'] = this.#oldPath;
    await this.#close();
    // lets go of an opening that waits for a reader
    const reader = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
    await sleep(50);
    await reader?.close();
    await this.#running;
  }

  async #close(): Promise<void> {
    const handle = this.#open;
    this.#open = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let next = 0; !signal.aborted; next++) {
      await sleep(FRAME_MS, undefined, { signal }).catch(() => undefined);
      const picture = this.#pictures[next % Math.max(1, this.#pictures.length)];
      if (picture === undefined || this.#isMute) continue;
      try {
        // waits for the reader; one that goes breaks the pipe, and the next one begins with a whole picture
        this.#open ??= await open(this.path, constants.O_WRONLY);
        if (!signal.aborted) await this.#open.writeFile(picture);
      } catch (error) {
        await this.#close();
        // unplugged while it was being opened, or left by its reader
        if (!['EPIPE', 'ENOENT'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
      }
    }
  }
}
