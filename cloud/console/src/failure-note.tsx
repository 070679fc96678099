import type { ApiFailure } from './api-client.ts';
import { isTextKey } from './dictionary.ts';
import { useText } from './language.tsx';

/** A failure in words, with its code for whoever has to look it up. */
export function FailureNote({ failure, onRetry }: { failure: ApiFailure; onRetry?: () => void }) {
  const { t } = useText();
  const key = `error.${failure.code}`;
  const words = isTextKey(key) ? t(key, { seconds: failure.retryAfterSeconds }) : t('error.other');
  return (
    <div class="note note-bad" role="alert">
      <p>
        {words} <small>{t('error.code', { code: failure.code })}</small>
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          {t('common.retry')}
        </button>
      )}
    </div>
  );
}
