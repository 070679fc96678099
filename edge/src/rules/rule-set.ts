import type { Scene } from '@ngatu/contract';
import { ForbiddenAreaRule } from './forbidden-area.ts';
import { LineCountRule, type LineCrossing } from './line-count.ts';
import { RedLightRule } from './red-light.ts';
import type { EventRule, RuleContext, RuleMatch } from './rule.ts';
import { StopLineRule } from './stop-line.ts';
import { WrongWayRule } from './wrong-way.ts';

/** All rules of a scene, run in the order of the scene file. */
export class RuleSet {
  readonly #rules: EventRule[] = [];
  readonly #counts: LineCountRule[] = [];

  /** @throws RangeError where a rule names what the scene has not; a loaded scene was checked for that. */
  constructor(scene: Scene) {
    for (const rule of scene.rules) {
      if (rule.kind === 'RED_LIGHT') this.#rules.push(new RedLightRule(rule, scene));
      else if (rule.kind === 'STOP_LINE') this.#rules.push(new StopLineRule(rule, scene));
      else if (rule.kind === 'WRONG_WAY') this.#rules.push(new WrongWayRule(rule, scene));
      else if (rule.kind === 'FORBIDDEN_AREA') this.#rules.push(new ForbiddenAreaRule(rule, scene));
      else this.#counts.push(new LineCountRule(rule, scene));
    }
  }

  /** What happened longer ago than this is decided, ms. */
  get horizonMs(): number {
    return Math.max(0, ...this.#rules.map((rule) => rule.horizonMs));
  }

  update(context: RuleContext): { matches: RuleMatch[]; crossings: LineCrossing[] } {
    return {
      matches: this.#rules.flatMap((rule) => rule.update(context)),
      crossings: this.#counts.flatMap((count) => count.update(context)),
    };
  }
}
