import type { ApiFailure } from './api-client.ts';
import { isTextKey } from './dictionary.ts';
import { useText } from './language.tsx';

/** A failure in words, with its code for whoever has to look it up. @param isProof whoever is signed in gave the own password once more */
export function FailureNote(props: { failure: ApiFailure; onRetry?: () => void; isProof?: boolean }) {
  const { failure, onRetry, isProof = false } = props;
  const { t } = useText();
  const key = `error.${isProof && failure.code === 'CREDENTIALS_INVALID' ? 'PASSWORD_WRONG' : failure.code}`;
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
