import { type EventKind, NgatuError, parseWithSchema, Scene } from '@ngatu/contract';
import type { CaseDraft, CaseIntent, CaseMargin, CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import { SOLID_LINE_RECIPE } from './recipe-crossing.ts';
import { FORBIDDEN_AREA_RECIPE } from './recipe-forbidden-area.ts';
import { LANE_RECIPE } from './recipe-lane.ts';
import { OVERLOADED_RECIPE, ZEBRA_YIELD_RECIPE } from './recipe-people.ts';
import { RED_LIGHT_RECIPE, STOP_LINE_RECIPE } from './recipe-signal.ts';
import { SPEED_RECIPE } from './recipe-speed.ts';
import { BLOCKED_JUNCTION_RECIPE, STOP_PARK_RECIPE } from './recipe-standing.ts';
import { FORBIDDEN_TURN_RECIPE } from './recipe-turn.ts';
import { WRONG_WAY_RECIPE } from './recipe-wrong-way.ts';
import { SceneRandom } from './scene-random.ts';
import { computeUserPose, type SceneWorld } from './scene-world.ts';
import { drawSite, type SiteSource } from './street-site.ts';

/** One simulated case: a scene file, a world that moves before it, and what is true. A seed repeats it. */
export interface SceneCase {
  readonly kind: EventKind;
  readonly seed: number;
  readonly intent: CaseIntent;
  /** What the subject does, in words. */
  readonly story: string;
  readonly margin?: CaseMargin;
  readonly subjectId: number;
  readonly scene: Scene;
  readonly world: SceneWorld;
  readonly truth: readonly CaseTruth[];
}

const RECIPES: readonly CaseRecipe[] = [
  RED_LIGHT_RECIPE,
  STOP_LINE_RECIPE,
  WRONG_WAY_RECIPE,
  LANE_RECIPE,
  SOLID_LINE_RECIPE,
  FORBIDDEN_TURN_RECIPE,
  SPEED_RECIPE,
  STOP_PARK_RECIPE,
  OVERLOADED_RECIPE,
  FORBIDDEN_AREA_RECIPE,
  ZEBRA_YIELD_RECIPE,
  BLOCKED_JUNCTION_RECIPE,
];

/** The kinds of which cases can be drawn. */
export const SIMULATED_KINDS: readonly EventKind[] = RECIPES.map(({ kind }) => kind);

/** A street that does not come out as meant is drawn again this often. */
const MAX_DRAWS = 400;

/**
 * Draws the case of a seed: even seeds break the rule, odd ones nearly do. What is true is judged from the exact motions, not from
 * what was meant; a street on which the subject does not do as meant is drawn again.
 * @throws NgatuError USAGE where cases of the kind cannot be drawn
 */
export function drawCase(kind: EventKind, seed: number, sites: SiteSource = drawSite): SceneCase {
  const recipe = RECIPES.find((entry) => entry.kind === kind);
  if (recipe === undefined)
    throw new NgatuError('USAGE', `Cannot simulate ${kind}: there is no recipe for it`);
  const intent: CaseIntent = seed % 2 === 0 ? 'violation' : 'near-miss';
  const random = new SceneRandom(seed * 7_919 + SIMULATED_KINDS.indexOf(kind));
  for (let attempt = 0; attempt < MAX_DRAWS; attempt++) {
    const draft = recipe.draw(random.fork(), intent, sites);
    const truth = recipe.judge(draft);
    const own = truth.find(({ userId }) => userId === draft.subject.userId);
    const isAsMeant =
      intent === 'violation'
        ? own !== undefined && !own.isOpen && isInView(draft, own.atMs)
        : own === undefined;
    if (isAsMeant) return assemble({ kind, seed, intent }, draft, truth);
  }
  throw new RangeError(`No street of ${MAX_DRAWS} shows a ${intent} of ${kind} (seed ${seed})`);
}

/** The decisive moment is nothing to be found where the camera does not see it. */
function isInView(draft: CaseDraft, atMs: number): boolean {
  const pose = computeUserPose(draft.subject, Math.max(atMs, draft.subject.motion.startMs + 1));
  const { camera } = draft.site;
  if (draft.site.labels === undefined) return true;
  return [pose?.rear, pose?.front].every((point) => {
    const pixel = point === undefined ? undefined : camera.project([...point, 0]);
    return pixel !== undefined && camera.isInPicture(pixel, 0.02);
  });
}

function assemble(
  about: Pick<SceneCase, 'kind' | 'seed' | 'intent'>,
  draft: CaseDraft,
  truth: readonly CaseTruth[],
): SceneCase {
  const { width, height } = draft.site.camera.pose;
  const value = {
    schemaVersion: 1,
    name: `${about.kind.toLowerCase().replaceAll('_', '-')}-${about.seed}`,
    picture: { width, height },
    view: { depressionDeg: Math.round(draft.site.depressionDeg) },
    ...draft.parts,
  };
  const scene = parseWithSchema(Scene, value, {
    code: 'SCENE_INVALID',
    what: `simulated scene ${value.name}`,
  });
  return {
    ...about,
    story: draft.story,
    ...(draft.margin === undefined ? {} : { margin: draft.margin }),
    subjectId: draft.subject.userId,
    scene,
    world: draft.world,
    truth,
  };
}
