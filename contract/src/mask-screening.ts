import { type Static, Type } from '@sinclair/typebox';

const restart = { apply: 'restart' } as const;

/** What is said about one person: `uncertain` wherever the pictures do not tell. There is no verdict "worn wrongly". */
export const MASK_VERDICTS = ['with', 'without', 'uncertain'] as const;
export type MaskVerdict = (typeof MASK_VERDICTS)[number];

/** Why a person's mask could not be judged. */
export const MASK_DOUBTS = [
  'too-small',
  'blurred',
  'turned-away',
  'unclear',
  'too-few-frames',
  'frames-disagree',
] as const;
export type MaskDoubt = (typeof MASK_DOUBTS)[number];

/** Incidents are made only where a site's policy asks for them, and it has to be named. */
export const MaskIncidentPolicy = Type.Object(
  {
    policy: Type.String({
      minLength: 10,
      maxLength: 300,
      description:
        'The rule of the site that asks for incidents: who made it, when, and why. It stands in every incident. No law that was read asks for any (U).',
      ...restart,
    }),
    maxPerHour: Type.Integer({
      minimum: 1,
      maximum: 120,
      default: 12,
      description: 'No more incidents of one camera than this within any hour; the rest are counted alone.',
      ...restart,
    }),
  },
  {
    additionalProperties: false,
    description:
      'Incidents of people who were clearly seen without a mask, each with one still in which every face is blurred. Absent: none.',
  },
);
export type MaskIncidentPolicy = Static<typeof MaskIncidentPolicy>;

/** How one camera watches mask wearing: an indicator of counts. Nobody is recognised, and no picture is kept but what incidents ask for. */
export const MaskProfile = Type.Object(
  {
    maxWidth: Type.Integer({
      minimum: 160,
      maximum: 3840,
      default: 1280,
      description:
        'Pictures are scaled down to this width where they are wider, px. Small faces need wide pictures.',
      ...restart,
    }),
    maxFps: Type.Number({
      minimum: 0.5,
      maximum: 15,
      default: 4,
      description: 'At most this many pictures a second are looked at.',
      ...restart,
    }),
    minFacePx: Type.Number({
      minimum: 6,
      maximum: 256,
      default: 8,
      description: 'Shorter side of the smallest face that is judged, px of the source picture.',
      ...restart,
    }),
    windowMs: Type.Integer({
      minimum: 10_000,
      maximum: 3_600_000,
      default: 300_000,
      description:
        'People are counted over windows of this length, ms. Each window is one line of telemetry.',
      ...restart,
    }),
    incidents: Type.Optional(MaskIncidentPolicy),
  },
  {
    additionalProperties: false,
    description: 'Counts people with and without a mask. Absent: nothing is looked at.',
  },
);
export type MaskProfile = Static<typeof MaskProfile>;
