import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Account, ApiFailure, signIn } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { LanguageSwitch } from './header.tsx';
import { useText } from './language.tsx';

/** What single sign-on came back with, where it failed. */
function readSignOnFailure(): ApiFailure | undefined {
  const code = /^#\/sign-on-failed\/(OIDC_REFUSED|OIDC_UNAVAILABLE)$/.exec(location.hash)?.[1];
  if (code !== 'OIDC_REFUSED' && code !== 'OIDC_UNAVAILABLE') return undefined;
  return new ApiFailure(code, 'single sign-on failed', undefined, 1);
}

function SignInHead() {
  const { t } = useText();
  return (
    <div class="sign-in-head">
      <img src="/icon.svg" alt="" width="44" height="44" />
      <div>
        <h1>{t('app.name')}</h1>
        <p>{t('app.tagline')}</p>
      </div>
      <span class="push" />
      <LanguageSwitch />
    </div>
  );
}

type Field = RefObject<HTMLInputElement>;

function SignInFields(props: {
  fields: { username: Field; password: Field; code: Field };
  needsCode: boolean;
}) {
  const { fields, needsCode } = props;
  const { username, password, code } = fields;
  const { t } = useText();
  return (
    <>
      <label>
        {t('session.username')}
        <input
          ref={username}
          name="username"
          autocomplete="username"
          required
          maxLength={64}
          spellcheck={false}
          readOnly={needsCode}
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
          readOnly={needsCode}
        />
      </label>
      {needsCode && (
        <label>
          {t('session.code')}
          <input
            ref={code}
            name="code"
            autocomplete="one-time-code"
            required
            minLength={6}
            maxLength={32}
            spellcheck={false}
          />
          <small>{t('session.code.hint')}</small>
        </label>
      )}
    </>
  );
}

export function SignInPage(props: {
  hasEnded: boolean;
  /** Name of the provider of single sign-on, where the centre has one. */
  provider: string | undefined;
  onSignedIn: (account: Account) => void;
}) {
  const { hasEnded, provider, onSignedIn } = props;
  const { t } = useText();
  const [isSending, setSending] = useState(false);
  const [needsCode, setNeedsCode] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(readSignOnFailure);
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const code = useRef<HTMLInputElement>(null);
  const fields = { username, password, code };
  useLayoutEffect(() => (needsCode ? code : username).current?.focus(), [needsCode]);

  const submit = async () => {
    setSending(true);
    setFailure(undefined);
    try {
      const account = await signIn({
        username: username.current?.value ?? '',
        password: password.current?.value ?? '',
        ...(needsCode ? { code: code.current?.value.trim() ?? '' } : {}),
      });
      if (account !== undefined) onSignedIn(account);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'SECOND_FACTOR_REQUIRED') return setNeedsCode(true);
      setFailure(error);
      (needsCode ? code : password).current?.select();
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
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || !needsCode) return;
          setNeedsCode(false);
          setFailure(undefined);
        }}
      >
        <SignInHead />
        {hasEnded && failure === undefined && (
          <p class="note" role="status">
            {t('session.ended')}
          </p>
        )}
        <SignInFields fields={fields} needsCode={needsCode} />
        {failure !== undefined && <FailureNote failure={failure} />}
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? t('session.signingIn') : t('session.signIn')}
        </button>
        {provider !== undefined && (
          <a class="button" href="/api/v1/session/oidc/start">
            {t('session.signOn', { provider })}
          </a>
        )}
        <p class="hint">{t('session.hint')}</p>
      </form>
    </main>
  );
}
