import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NgatuError, type Scene } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { AnalysedFrame } from './analysis.ts';

/** ASS colours are &HBBGGRR&. */
const COLOURS = { road: '&H00FFFF&', person: '&HFFFF00&', heavy: '&H4040FF&', lost: '&H808080&' } as const;
const LAMP_COLOURS = {
  red: '&H0000FF&',
  amber: '&H00BFFF&',
  green: '&H50FF50&',
  off: '&H606060&',
  unknown: '&HC0C0C0&',
} as const;
const SCENE_COLOUR = '&HFF8000&';
/** A fired rule stays on the picture for this long, ms. */
const BANNER_MS = 3000;

/**
 * Collects what was found as an Advanced SubStation script that libass draws on the source video: no picture passes through
 * this process, and every source frame keeps its time.
 */
export class AnnotationScript {
  readonly #scene: Scene;
  readonly #frames: { atMs: number; events: string[] }[] = [];
  readonly #banners: { fromMs: number; text: string; box: Box }[] = [];
  readonly #fontSize: number;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#fontSize = Math.max(9, Math.round(scene.picture.height / 42));
  }

  add(analysed: AnalysedFrame): void {
    const events: string[] = [];
    for (const track of analysed.tracks) {
      if (track.state === 'tentative' || track.state === 'removed') continue;
      const heavy = track.label === 'car' || track.label === 'bus' || track.label === 'truck';
      const colour = !track.seen
        ? COLOURS.lost
        : heavy
          ? COLOURS.heavy
          : track.label === 'person'
            ? COLOURS.person
            : COLOURS.road;
      events.push(drawBox(track.box, colour));
      events.push(this.#text([track.box[0], track.box[1]], `${track.trackId} ${track.label}`, colour));
    }
    for (const head of this.#scene.signals) {
      const state = analysed.signals.get(head.name)?.state ?? 'unknown';
      events.push(drawBox(head.box, LAMP_COLOURS[state]));
      events.push(this.#text([head.box[0] - 4 * this.#fontSize, head.box[1]], state, LAMP_COLOURS[state]));
    }
    this.#frames.push({ atMs: analysed.frame.mediaTimeMs, events });
    for (const match of analysed.matches) {
      const kind = match.letPass === undefined ? match.kind : `${match.kind} (${match.letPass.reason})`;
      const text = `${kind} ${match.trackId}`;
      this.#banners.push({ fromMs: analysed.frame.mediaTimeMs, text, box: match.observation.box });
    }
  }

  /** The script; times in centiseconds, as the format has them. */
  render(): string {
    const { width, height } = this.#scene.picture;
    const endMs = (this.#frames.at(-1)?.atMs ?? 0) + 1000;
    const lines = [
      '[Script Info]',
      'ScriptType: v4.00+',
      `PlayResX: ${width}`,
      `PlayResY: ${height}`,
      '[V4+ Styles]',
      'Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BorderStyle, Outline, Shadow, Alignment',
      `Style: D,DejaVu Sans,${this.#fontSize},&H00FFFFFF,&H00000000,1,1,0,7`,
      '[Events]',
      'Format: Layer, Start, End, Style, Text',
    ];
    for (const zone of this.#scene.zones)
      lines.push(dialogue(0, 0, endMs, drawLine([...zone.polygon, zone.polygon[0] as Point])));
    for (const tripwire of this.#scene.tripwires)
      lines.push(dialogue(0, 0, endMs, drawLine(tripwire.points)));
    this.#frames.forEach((frame, index) => {
      const untilMs = this.#frames[index + 1]?.atMs ?? endMs;
      for (const event of frame.events) lines.push(dialogue(1, frame.atMs, untilMs, event));
    });
    this.#banners.forEach(({ fromMs, text, box }, index) => {
      const y = this.#fontSize * (1 + ((index % 4) * 3) / 2);
      lines.push(
        dialogue(
          2,
          fromMs,
          fromMs + BANNER_MS,
          `{\\pos(${width / 3},${y})\\fs${this.#fontSize * 1.5}\\1c&H0000FF&}${text}`,
        ),
      );
      lines.push(dialogue(2, fromMs, fromMs + BANNER_MS / 2, drawBox(box, '&HFF00FF&')));
    });
    return `${lines.join('\n')}\n`;
  }

  #text([x, y]: Point, text: string, colour: string): string {
    return `{\\pos(${x.toFixed(0)},${Math.max(0, y - this.#fontSize).toFixed(0)})\\1c${colour}}${text}`;
  }
}

function drawBox([x1, y1, x2, y2]: Box, colour: string): string {
  return drawLine(
    [
      [x1, y1],
      [x2, y1],
      [x2, y2],
      [x1, y2],
      [x1, y1],
    ],
    colour,
  );
}

/** ASS fills shapes only: a line goes there and back, and its border is what is seen. */
function drawLine(points: readonly Point[], colour: string = SCENE_COLOUR): string {
  const format = ([x, y]: Point): string => `${x.toFixed(0)} ${y.toFixed(0)}`;
  const [first, ...rest] = [...points, ...points.slice(0, -1).reverse()];
  if (first === undefined) return '';
  const path = `m ${format(first)} ${rest.map((point) => `l ${format(point)}`).join(' ')}`;
  return `{\\pos(0,0)\\bord1\\3c${colour}\\1a&HFF&\\p1}${path}{\\p0}`;
}

function dialogue(layer: number, fromMs: number, toMs: number, text: string): string {
  return `Dialogue: ${layer},${formatTime(fromMs)},${formatTime(toMs)},D,${text}`;
}

function formatTime(ms: number): string {
  const cs = Math.max(0, Math.floor(ms / 10));
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(cs / 360_000)}:${pad(Math.floor(cs / 6000) % 60)}:${pad(Math.floor(cs / 100) % 60)}.${pad(cs % 100)}`;
}

/**
 * Draws the script into a copy of the video (H.264 MP4).
 * @throws NgatuError VIDEO_UNREADABLE with ffmpeg's own last words
 */
export async function renderAnnotatedVideo(
  options: { video: string; script: AnnotationScript; outFile: string },
  signal: AbortSignal,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'ngatu-annotate-'));
  try {
    await writeFile(join(dir, 'annotation.ass'), options.script.render());
    const args = ['-nostdin', '-v', 'error', '-y', '-i', options.video, '-map', '0:v:0', '-vf'];
    args.push(`ass=filename=${join(dir, 'annotation.ass')}`, '-fps_mode', 'passthrough', '-c:v', 'libx264');
    args.push(
      '-preset',
      'veryfast',
      '-crf',
      '20',
      '-pix_fmt',
      'yuv420p',
      '-movflags',
      '+faststart',
      options.outFile,
    );
    const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-500);
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0)
      throw new NgatuError('VIDEO_UNREADABLE', `Cannot draw ${options.outFile}: ${said.trim()}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
