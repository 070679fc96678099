import { expect, it } from 'vitest';
import { type ChainLink, findChainFaults } from './chain.ts';

const CHAIN = '11111111-2222-4333-8444-555555555555';
const digestOf = (seq: number): string => seq.toString(16).padStart(64, '0');

function aLink(chainSeq: number, changes: Partial<ChainLink> = {}): ChainLink {
  return {
    ...{ chainId: CHAIN, chainSeq, site: 'hanoi', node: 'gate-1', manifestSha256: digestOf(chainSeq) },
    previousManifestSha256: chainSeq === 1 ? null : digestOf(chainSeq - 1),
    ...changes,
  };
}

const chain = [1, 2, 3, 4, 5].map((seq) => aLink(seq));
const kindsOf = (links: readonly ChainLink[]) =>
  findChainFaults(links).map(({ kind, seq }) => `${kind} ${seq}`);

it('finds nothing in a whole chain, in whatever order its links arrive', () => {
  expect(kindsOf(chain)).toEqual([]);
  expect(kindsOf([...chain].reverse())).toEqual([]);
});

it.each<[string, ChainLink[], string[]]>([
  ['removed', chain.filter(({ chainSeq }) => chainSeq !== 3), ['missing 3']],
  ['several removed', chain.filter(({ chainSeq }) => chainSeq === 1 || chainSeq === 5), ['missing 2']],
  [
    'changed',
    chain.map((link) => (link.chainSeq === 3 ? aLink(3, { manifestSha256: digestOf(99) }) : link)),
    ['broken 4'],
  ],
  [
    'exchanged',
    chain.map((link) => {
      if (link.chainSeq === 2) return aLink(2, { manifestSha256: digestOf(3) });
      return link.chainSeq === 3 ? aLink(3, { manifestSha256: digestOf(2) }) : link;
    }),
    ['broken 3', 'broken 4'],
  ],
  ['inserted', [...chain, aLink(3, { manifestSha256: digestOf(99) })], ['forked 3', 'broken 4']],
  ['begun in the middle', [aLink(2, { previousManifestSha256: null })], ['no-beginning 2']],
  ['continued before its beginning', [aLink(1, { previousManifestSha256: digestOf(7) })], ['no-beginning 1']],
  ['taken over by another node', [aLink(1), aLink(2, { node: 'gate-2' })], ['foreign 2']],
])('finds a link that was %s', (_name, links, expected) => {
  expect(kindsOf(links)).toEqual(expected);
});

it('keeps chains apart', () => {
  const other = { chainId: '99999999-2222-4333-8444-555555555555' };
  expect(kindsOf([...chain, aLink(1, { ...other, manifestSha256: digestOf(50) })])).toEqual([]);
});
