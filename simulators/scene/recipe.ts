import type { EventKind } from '@ngatu/contract';
import type { CaseDraft, CaseIntent, CaseTruth } from './case-draft.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';

/** How cases of one rule are made, and how their truth is read off the motions — apart from one another. */
export interface CaseRecipe {
  readonly kind: EventKind;
  /** Draws a street on which the subject does, or nearly does, what the rule forbids. */
  draw(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft;
  /** Judges everybody on the street by the exact motions. */
  judge(draft: CaseDraft): CaseTruth[];
}
