import { expect, it } from 'vitest';
import { toUrl } from './url.ts';

it('tells an address from what is none', () => {
  expect(toUrl('https://127.0.0.1:8181/api')?.port).toBe('8181');
  for (const text of ['', 'null', '127.0.0.1', 'http://', 'http://[', 'http://a b/'])
    expect(toUrl(text), text).toBeUndefined();
});

it('refuses a host of Latin-1 bytes however often it is asked', () => {
  const text = Buffer.from('http://127.é\u0301\u0301\u0301').toString('latin1');
  for (let turn = 0; turn < 50_000; turn++) expect(toUrl(text)).toBeUndefined();
});
