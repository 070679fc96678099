import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { Account } from './api-client.ts';
import type { FeedState } from './event-feed.ts';
import { useText } from './language.tsx';
import { buildHash, type Route } from './route.ts';

export function LanguageSwitch() {
  const { language, setLanguage, t } = useText();
  const other = language === 'vi' ? 'en' : 'vi';
  return (
    <button
      type="button"
      class="quiet"
      lang={other}
      aria-label={t('language.switch.label')}
      onClick={() => setLanguage(other)}
    >
      {t('language.switch')}
    </button>
  );
}

/** The pages of the navigation, and who has something to see there. */
const PAGES = [
  { page: 'events', access: MAY.listCases },
  { page: 'cameras', access: MAY.readFleet },
  { page: 'traffic', access: MAY.readFleet },
  { page: 'sensors', access: MAY.readFleet },
  { page: 'screening', access: MAY.readFleet },
  { page: 'accounts', access: MAY.readAccounts },
  { page: 'audit', access: MAY.readAudit },
] as const;

export type MainPage = (typeof PAGES)[number]['page'];

/** The pages that this person may see, the first of them to begin with. */
export function listPages(account: Account): MainPage[] {
  if (account.needs !== undefined) return [];
  return PAGES.filter(({ access }) => isAllowed(account, access)).map(({ page }) => page);
}

export function Header(props: {
  account: Account;
  route: Route;
  feedState: FeedState;
  onSignOut: () => void;
}) {
  const { account, route, feedState, onSignOut } = props;
  const { t } = useText();
  const current = route.page === 'event' ? 'events' : route.page;
  return (
    <header class="top">
      <span class="brand">
        <img src="/icon.svg" alt="" width="26" height="26" /> {t('app.name')}
      </span>
      <nav aria-label={t('nav.main')}>
        {listPages(account).map((page) => (
          <a key={page} href={buildHash({ page })} aria-current={current === page ? 'page' : undefined}>
            {t(`nav.${page}`)}
          </a>
        ))}
      </nav>
      {isAllowed(account, MAY.listCases) && account.needs === undefined && (
        <span class={`feed feed-${feedState}`} role="status" aria-label={t('feed.label')}>
          <span class="dot" aria-hidden="true" /> {t(`feed.${feedState}`)}
        </span>
      )}
      <span class="push" />
      <LanguageSwitch />
      <a
        class="who"
        href={buildHash({ page: 'account' })}
        aria-current={current === 'account' ? 'page' : undefined}
        title={account.roles.map((role) => t(`role.${role}`)).join(', ')}
      >
        {account.username}
      </a>
      <button type="button" class="quiet" onClick={onSignOut}>
        {t('session.signOut')}
      </button>
    </header>
  );
}
