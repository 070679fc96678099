import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Account, ApiFailure, fetchSession, signOut } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { Header, listPages } from './header.tsx';
import { useText } from './language.tsx';
import { AccountPage } from './page-account.tsx';
import { AccountsPage } from './page-accounts.tsx';
import { AuditPage } from './page-audit.tsx';
import { CamerasPage } from './page-cameras.tsx';
import { EventPage } from './page-event.tsx';
import { EventsPage } from './page-events.tsx';
import { ScreeningPage } from './page-screening.tsx';
import { SensorsPage } from './page-sensors.tsx';
import { SignInPage } from './page-sign-in.tsx';
import { TrafficPage } from './page-traffic.tsx';
import { type Route, useRoute } from './route.ts';
import { useWorkplace } from './workplace.ts';

type Session =
  | { readonly state: 'unknown'; readonly failure?: ApiFailure }
  | { readonly state: 'signed-out'; readonly hasEnded: boolean }
  | { readonly state: 'signed-in'; readonly account: Account };

export function App() {
  const { t } = useText();
  const [session, setSession] = useState<Session>({ state: 'unknown' });
  const [provider, setProvider] = useState<string | undefined>(undefined);
  const ask = useCallback(async () => {
    try {
      const { account, singleSignOn } = await fetchSession();
      setProvider(singleSignOn?.name);
      setSession(
        account === undefined ? { state: 'signed-out', hasEnded: false } : { state: 'signed-in', account },
      );
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setSession({ state: 'unknown', failure: error });
    }
  }, []);
  useEffect(() => void ask(), [ask]);
  const onEnded = useCallback(() => setSession({ state: 'signed-out', hasEnded: true }), []);

  if (session.state === 'unknown') {
    return (
      <main class="alone">
        {session.failure === undefined ? (
          <p role="status">{t('common.loading')}</p>
        ) : (
          <FailureNote failure={session.failure} onRetry={() => void ask()} />
        )}
      </main>
    );
  }
  if (session.state === 'signed-out') {
    return (
      <SignInPage
        hasEnded={session.hasEnded}
        provider={provider}
        onSignedIn={(account) => setSession({ state: 'signed-in', account })}
      />
    );
  }
  return (
    <Workplace
      account={session.account}
      onChanged={() => void ask()}
      onEnded={onEnded}
      onSignedOut={() => setSession({ state: 'signed-out', hasEnded: false })}
    />
  );
}

/** What somebody may not see is not opened: the first page that he may see stands in its place. */
function chooseRoute(route: Route, account: Account): Route {
  const pages = listPages(account);
  const asked = route.page === 'event' ? 'events' : route.page;
  if (asked === 'account' || pages.some((page) => page === asked)) return route;
  return { page: pages[0] ?? 'account' };
}

function Workplace(props: {
  account: Account;
  onChanged: () => void;
  onEnded: () => void;
  onSignedOut: () => void;
}) {
  const { account, onChanged, onEnded, onSignedOut } = props;
  const { t } = useText();
  const route = chooseRoute(useRoute(), account);
  const work = useWorkplace(account, onEnded);
  const leave = async () => {
    try {
      const logoutUrl = await signOut();
      if (logoutUrl !== undefined) return location.assign(logoutUrl);
    } catch (error) {
      // Already signed out is what was asked for; anything else keeps the page as it is and says so.
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code !== 'UNAUTHENTICATED') return work.setNotice({ failure: error });
    }
    onSignedOut();
  };
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {t('app.skip')}
      </button>
      <Header account={account} route={route} feedState={work.feedState} onSignOut={() => void leave()} />
      <main id="main" tabIndex={-1}>
        {route.page === 'events' && <EventsPage work={work} />}
        {route.page === 'event' && <EventPage key={route.eventId} eventId={route.eventId} work={work} />}
        {route.page === 'cameras' && <CamerasPage account={account} onEnded={onEnded} />}
        {route.page === 'traffic' && <TrafficPage onEnded={onEnded} />}
        {route.page === 'sensors' && <SensorsPage onEnded={onEnded} />}
        {route.page === 'screening' && <ScreeningPage account={account} onEnded={onEnded} />}
        {route.page === 'account' && (
          <AccountPage account={account} onChanged={onChanged} onEnded={onEnded} />
        )}
        {route.page === 'accounts' && <AccountsPage account={account} onEnded={onEnded} />}
        {route.page === 'audit' && <AuditPage onEnded={onEnded} />}
      </main>
    </>
  );
}
