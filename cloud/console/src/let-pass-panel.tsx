import type { Event } from '@ngatu/contract';
import { useText } from './language.tsx';

/** In place of the decision: why nobody is flagged. */
export function LetPassPanel({ letPass }: { letPass: NonNullable<Event['letPass']> }) {
  const { t, language } = useText();
  return (
    <section class="decision let-pass-panel" aria-label={t('letPass.title')}>
      <h2>{t('letPass.chip', { reason: t(`letPass.${letPass.reason}`) })}</h2>
      <p class="explanation">{letPass.explanation[language]}</p>
      <p class="hint">{t('letPass.meaning')}</p>
    </section>
  );
}
