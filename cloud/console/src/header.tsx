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

const PAGES = ['events', 'cameras', 'traffic'] as const;

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
        {PAGES.map((page) => (
          <a key={page} href={buildHash({ page })} aria-current={current === page ? 'page' : undefined}>
            {t(`nav.${page}`)}
          </a>
        ))}
      </nav>
      <span class={`feed feed-${feedState}`} role="status" aria-label={t('feed.label')}>
        <span class="dot" aria-hidden="true" /> {t(`feed.${feedState}`)}
      </span>
      <span class="push" />
      <LanguageSwitch />
      <span class="who">{account.username}</span>
      <button type="button" class="quiet" onClick={onSignOut}>
        {t('session.signOut')}
      </button>
    </header>
  );
}
