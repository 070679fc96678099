import { type Event, NgatuError, type Scene, type SealedFacts } from '@ngatu/contract';
import { computeEventSha256, computeJsonSha256 } from '@ngatu/trust';

/**
 * What the seal of an event's evidence says about how it was found: the event itself by its digest, the rule and the scene as they
 * ran, the model, the software.
 */
export function buildSealedFacts(
  event: Event,
  { scene, softwareVersion }: { readonly scene: Scene; readonly softwareVersion: string },
): SealedFacts {
  const rule = scene.rules.find(({ name }) => name === event.rule);
  if (rule === undefined)
    throw new NgatuError(
      'INTERNAL',
      `Cannot seal event ${event.eventId}: its scene has no rule "${event.rule}"`,
    );
  const { kind, capturedAt, clockErrorMs, sceneSha256, model } = event;
  return {
    eventSha256: computeEventSha256(event),
    ...{ kind, rule: event.rule, capturedAt, clockErrorMs, sceneSha256 },
    parametersSha256: computeJsonSha256(scene),
    parameters: { ...rule },
    ...(scene.calibration === undefined ? {} : { calibrationSha256: computeJsonSha256(scene.calibration) }),
    models: [model],
    softwareVersion,
  };
}
