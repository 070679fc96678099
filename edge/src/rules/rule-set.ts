import type { Measurement, Rule, Scene } from '@ngatu/contract';
import { BlockedJunctionRule } from './blocked-junction.ts';
import { ForbiddenAreaRule } from './forbidden-area.ts';
import { ForbiddenTurnRule } from './forbidden-turn.ts';
import { LaneReservedRule } from './lane-reserved.ts';
import { LaneTurnRule } from './lane-turn.ts';
import { LineCountRule, type LineCrossing } from './line-count.ts';
import { NoHelmetRule } from './no-helmet.ts';
import { OverloadedRule } from './overloaded.ts';
import { RedLightRule } from './red-light.ts';
import type { EventRule, RuleBlock, RuleContext, RuleMatch, RuleMemory } from './rule.ts';
import { SolidLineRule } from './solid-line.ts';
import { SpeedRule } from './speed.ts';
import { StopLineRule } from './stop-line.ts';
import { StopParkRule } from './stop-park.ts';
import { TrafficRule } from './traffic.ts';
import { WrongWayRule } from './wrong-way.ts';
import { ZebraYieldRule } from './zebra-yield.ts';

/** What the rules found in one frame. */
interface RuleFinding {
  readonly matches: readonly RuleMatch[];
  readonly crossings: readonly LineCrossing[];
  /** Figures of the traffic windows that have ended. */
  readonly measurements: readonly Measurement[];
}

/** All rules of a scene, run in the order of the scene file. */
export class RuleSet {
  readonly #rules: EventRule[] = [];
  readonly #counts: LineCountRule[] = [];
  readonly #traffic: TrafficRule[] = [];

  /** @throws RangeError where a rule names what the scene has not; a loaded scene was checked for that. */
  constructor(scene: Scene) {
    for (const rule of scene.rules) {
      if (rule.kind === 'LINE_COUNT') this.#counts.push(new LineCountRule(rule, scene));
      else if (rule.kind === 'TRAFFIC') this.#traffic.push(new TrafficRule(rule, scene));
      else this.#rules.push(buildRule(rule, scene));
    }
  }

  /** What happened longer ago than this is decided, ms. */
  get horizonMs(): number {
    return Math.max(0, ...this.#rules.map((rule) => rule.horizonMs));
  }

  /** Rules that cannot judge now, with what they lack. */
  get blocked(): readonly { readonly rule: string; readonly by: RuleBlock }[] {
    return this.#rules.flatMap(({ name, blockedBy }) =>
      blockedBy === undefined ? [] : [{ rule: name, by: blockedBy }],
    );
  }

  /** What must outlive this set: cases that stand. JSON; give it to `recall` of the next set. */
  remember(): RuleMemory {
    return Object.fromEntries(
      this.#rules.flatMap((rule) => (rule.remember ? [[rule.name, rule.remember()]] : [])),
    );
  }

  recall(memory: RuleMemory): void {
    for (const rule of this.#rules) rule.recall?.(memory[rule.name] ?? []);
  }

  /** The figures of traffic windows that are still open; call once, when the stream has ended. */
  finish(): Measurement[] {
    return this.#traffic.flatMap((traffic) => traffic.finish());
  }

  update(context: RuleContext): RuleFinding {
    return {
      matches: this.#rules.flatMap((rule) => rule.update(context)),
      crossings: this.#counts.flatMap((count) => count.update(context)),
      measurements: this.#traffic.flatMap((traffic) => traffic.update(context)),
    };
  }
}

function buildRule(rule: Exclude<Rule, { kind: 'LINE_COUNT' | 'TRAFFIC' }>, scene: Scene): EventRule {
  switch (rule.kind) {
    case 'RED_LIGHT':
      return new RedLightRule(rule, scene);
    case 'STOP_LINE':
      return new StopLineRule(rule, scene);
    case 'WRONG_WAY':
      return new WrongWayRule(rule, scene);
    case 'LANE_RESERVED':
      return new LaneReservedRule(rule, scene);
    case 'LANE_TURN':
      return new LaneTurnRule(rule, scene);
    case 'SOLID_LINE':
      return new SolidLineRule(rule, scene);
    case 'FORBIDDEN_TURN':
      return new ForbiddenTurnRule(rule, scene);
    case 'FORBIDDEN_AREA':
      return new ForbiddenAreaRule(rule, scene);
    case 'SPEED':
      return new SpeedRule(rule, scene);
    case 'STOP_PARK':
      return new StopParkRule(rule, scene);
    case 'OVERLOADED':
      return new OverloadedRule(rule, scene);
    case 'ZEBRA_YIELD':
      return new ZebraYieldRule(rule, scene);
    case 'BLOCKED_JUNCTION':
      return new BlockedJunctionRule(rule, scene);
    case 'NO_HELMET':
      return new NoHelmetRule(rule, scene);
  }
}
