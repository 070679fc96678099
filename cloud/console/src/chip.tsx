import type { EventKind, LetPassReason } from '@ngatu/contract';
import type { CameraOverview, EventDetail } from '../../src/api/api-schema.ts';
import { useText } from './language.tsx';

/** States are told by a sign and words, never by colour alone. */
const REVIEW_SIGN = { open: '○', confirmed: '✓', rejected: '✕' } as const;
const STATE_SIGN = { analysed: '●', degraded: '◐', blind: '⊘', unreported: '?' } as const;

export function ReviewChip({ review }: { review: EventDetail['review'] }) {
  const { t } = useText();
  return (
    <span class={`chip review-${review}`}>
      <span aria-hidden="true">{REVIEW_SIGN[review]}</span> {t(`review.${review}`)}
    </span>
  );
}

export function LetPassChip({ reason }: { reason: LetPassReason }) {
  const { t } = useText();
  return (
    <span class="chip let-pass">
      <span aria-hidden="true">↷</span> {t('letPass.chip', { reason: t(`letPass.${reason}`) })}
    </span>
  );
}

export function StateChip({ state }: { state: CameraOverview['now'] }) {
  const { t } = useText();
  return (
    <span class={`chip state-${state}`}>
      <span aria-hidden="true">{STATE_SIGN[state]}</span> {t(`state.${state}`)}
    </span>
  );
}

export function KindMark({ kind }: { kind: EventKind }) {
  const { t } = useText();
  return <strong class={`kind kind-${kind}`}>{t(`kind.${kind}`)}</strong>;
}
