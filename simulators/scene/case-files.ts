import type { CaseTruth } from './case-draft.ts';
import type { PictureBox } from './ground-camera.ts';
import type { SceneCase } from './scene-case.ts';

/** Where everybody was drawn, by user, in the order of the frames. */
export type DrawnPaths = ReadonlyMap<number, readonly { readonly frame: number; readonly box: PictureBox }[]>;

/** Points of a path in the truth file, frames apart. */
const PATH_STEP = 3;
/** Of these the frame itself decides; of the others the stretch of time does. */
const AT_A_MOMENT: readonly string[] = ['RED_LIGHT', 'STOP_LINE'];

/** The truth file of a rendered case, in the format of `ngatu eval violations`. */
export function describeTruth(scene: SceneCase, drawn: DrawnPaths, video: string): object {
  const { fps, durationMs, camera, lamp } = scene.world;
  const frames = Math.floor((durationMs * fps) / 1000);
  const toFrame = (atMs: number): number => Math.min(frames - 1, Math.max(0, Math.ceil((atMs * fps) / 1000)));
  const ranges = (state: string): [number, number][] =>
    lamp.flatMap((phase, index): [number, number][] => {
      if (phase.state !== state) return [];
      const next = lamp[index + 1];
      return [[toFrame(phase.sinceMs), next === undefined ? frames - 1 : toFrame(next.sinceMs) - 1]];
    });
  const describe = (truth: CaseTruth, index: number): object => {
    const path = drawn.get(truth.userId) ?? [];
    const frame = toFrame(truth.atMs);
    const at = path.find((point) => point.frame >= frame) ?? path.at(-1);
    const place = at === undefined ? {} : { x: round((at.box[0] + at.box[2]) / 2), y: round(at.box[3]) };
    const isMoment = AT_A_MOMENT.includes(truth.kind);
    return {
      id: `${truth.isOpen ? 'O' : 'E'}${index + 1}`,
      kind: truth.kind,
      frame,
      ...(isMoment && !truth.isOpen ? {} : { frame_range: [toFrame(truth.fromMs), toFrame(truth.untilMs)] }),
      ...place,
      ...(isMoment ? {} : { path: thin(path) }),
      desc: truth.note,
    };
  };
  return {
    video,
    frames,
    fps,
    size: [camera.width, camera.height],
    annotated_by: `scene simulator, ${scene.kind} seed ${scene.seed}: ${scene.story}; exact`,
    kinds: [scene.kind],
    ...(lamp.length === 0
      ? {}
      : { light: { green: ranges('green'), amber: ranges('amber'), red: ranges('red') } }),
    events: scene.truth.filter(({ isOpen }) => !isOpen).map(describe),
    ambiguous_ignore: scene.truth.filter(({ isOpen }) => isOpen).map(describe),
  };
}

function thin(path: readonly { frame: number; box: PictureBox }[]): [number, number, number][] {
  return path
    .filter((_, index) => index % PATH_STEP === 0 || index === path.length - 1)
    .map(({ frame, box }) => [frame, round((box[0] + box[2]) / 2), round(box[3])]);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
