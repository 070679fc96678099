import { useEffect, useRef, useState } from 'preact/hooks';
import { type Account, ApiFailure, signIn } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { LanguageSwitch } from './header.tsx';
import { useText } from './language.tsx';

export function SignInPage(props: { hasEnded: boolean; onSignedIn: (account: Account) => void }) {
  const { hasEnded, onSignedIn } = props;
  const { t } = useText();
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => username.current?.focus(), []);

  const submit = async () => {
    setSending(true);
    setFailure(undefined);
    try {
      const account = await signIn(username.current?.value ?? '', password.current?.value ?? '');
      if (account !== undefined) onSignedIn(account);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setFailure(error);
      password.current?.select();
    } finally {
      setSending(false);
    }
  };

  return (
    <main class="alone">
      <form
        class="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="sign-in-head">
          <img src="/icon.svg" alt="" width="44" height="44" />
          <div>
            <h1>{t('app.name')}</h1>
            <p>{t('app.tagline')}</p>
          </div>
          <span class="push" />
          <LanguageSwitch />
        </div>
        {hasEnded && failure === undefined && (
          <p class="note" role="status">
            {t('session.ended')}
          </p>
        )}
        <label>
          {t('session.username')}
          <input
            ref={username}
            name="username"
            autocomplete="username"
            required
            maxLength={64}
            spellcheck={false}
          />
        </label>
        <label>
          {t('session.password')}
          <input
            ref={password}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={256}
          />
        </label>
        {failure !== undefined && <FailureNote failure={failure} />}
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? t('session.signingIn') : t('session.signIn')}
        </button>
        <p class="hint">{t('session.hint')}</p>
      </form>
    </main>
  );
}
