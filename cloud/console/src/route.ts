import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly page: 'events' }
  | { readonly page: 'event'; readonly eventId: string }
  | { readonly page: 'cameras' }
  | { readonly page: 'screening' }
  | { readonly page: 'account' }
  | { readonly page: 'accounts' }
  | { readonly page: 'audit' }
  | { readonly page: 'sensors' }
  | { readonly page: 'traffic' };

const PLAIN = ['cameras', 'traffic', 'sensors', 'screening', 'account', 'accounts', 'audit'] as const;

export function parseRoute(hash: string): Route {
  const event = /^#\/events\/(ev-[0-9a-f]{32})$/.exec(hash)?.[1];
  if (event !== undefined) return { page: 'event', eventId: event };
  return { page: PLAIN.find((page) => hash === `#/${page}`) ?? 'events' };
}

export function buildHash(route: Route): string {
  return route.page === 'event' ? `#/events/${route.eventId}` : `#/${route.page}`;
}

export function openRoute(route: Route): void {
  location.hash = buildHash(route);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return route;
}
