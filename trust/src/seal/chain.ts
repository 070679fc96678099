import type { EvidenceSeal } from '@ngatu/contract';

/** One manifest in the chain of its node. */
export interface ChainLink extends Pick<EvidenceSeal, 'chainId' | 'chainSeq' | 'previousManifestSha256'> {
  readonly site: string;
  readonly node: string;
  readonly manifestSha256: string;
}

/** What does not fit; `seq` is the place at which it shows. */
export type ChainFault = { readonly chainId: string; readonly seq: number } & (
  | { readonly kind: 'forked' | 'broken' | 'no-beginning' | 'foreign' }
  /** `seq` to `toSeq` are not there although later ones are. */
  | { readonly kind: 'missing'; readonly toSeq: number }
);

/**
 * Why a link cannot stand beside the links that are known around it; undefined where it can. Removing, changing, exchanging and
 * inserting all end in one of these: a place that is taken, a predecessor of another digest, or a hole.
 */
export function findLinkFault(
  link: ChainLink,
  known: {
    readonly same?: ChainLink;
    readonly before?: ChainLink;
    readonly after?: ChainLink;
    readonly any?: ChainLink;
  },
): Exclude<ChainFault['kind'], 'missing'> | undefined {
  const { same, before, after } = known;
  const { any = same ?? before ?? after } = known;
  if (any !== undefined && (any.site !== link.site || any.node !== link.node)) return 'foreign';
  if ((link.chainSeq === 1) !== (link.previousManifestSha256 === null)) return 'no-beginning';
  if (same !== undefined && same.manifestSha256 !== link.manifestSha256) return 'forked';
  if (before !== undefined && before.manifestSha256 !== link.previousManifestSha256) return 'broken';
  if (after !== undefined && after.previousManifestSha256 !== link.manifestSha256) return 'broken';
  return undefined;
}

/**
 * Everything that is wrong with a set of links, in any order. Holes are counted between the first and the last link that is there;
 * what came before the first one is not known here.
 */
export function findChainFaults(links: readonly ChainLink[]): ChainFault[] {
  const faults: ChainFault[] = [];
  for (const chain of groupByChain(links)) {
    let before: ChainLink | undefined;
    for (const link of chain) {
      const { chainId, chainSeq: seq } = link;
      const isNext = before !== undefined && before.chainSeq === seq - 1;
      const same = before?.chainSeq === seq ? before : undefined;
      const kind = findLinkFault(link, {
        ...(before === undefined ? {} : { any: before }),
        ...(isNext && before !== undefined ? { before } : {}),
        ...(same === undefined ? {} : { same }),
      });
      if (kind !== undefined) faults.push({ chainId, seq, kind });
      if (before !== undefined && seq > before.chainSeq + 1)
        faults.push({ chainId, seq: before.chainSeq + 1, kind: 'missing', toSeq: seq - 1 });
      before = link;
    }
  }
  return faults;
}

function groupByChain(links: readonly ChainLink[]): ChainLink[][] {
  const chains = new Map<string, ChainLink[]>();
  for (const link of links) {
    const chain = chains.get(link.chainId);
    if (chain === undefined) chains.set(link.chainId, [link]);
    else chain.push(link);
  }
  return [...chains.values()].map((chain) => chain.sort((a, b) => a.chainSeq - b.chainSeq));
}
