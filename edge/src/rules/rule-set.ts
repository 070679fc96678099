import { NgatuError, type Rule, type Scene } from '@ngatu/contract';
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
      if (rule.kind === 'LINE_COUNT') this.#counts.push(new LineCountRule(rule, scene));
      else this.#rules.push(buildRule(rule, scene));
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

function buildRule(rule: Exclude<Rule, { kind: 'LINE_COUNT' }>, scene: Scene): EventRule {
  switch (rule.kind) {
    case 'RED_LIGHT':
      return new RedLightRule(rule, scene);
    case 'STOP_LINE':
      return new StopLineRule(rule, scene);
    case 'WRONG_WAY':
      return new WrongWayRule(rule, scene);
    case 'FORBIDDEN_AREA':
      return new ForbiddenAreaRule(rule, scene);
    default:
      throw new NgatuError(
        'SCENE_INVALID',
        `Cannot build rule "${rule.name}": ${rule.kind} is not known here`,
      );
  }
}
