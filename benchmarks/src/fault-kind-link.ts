import { type FaultContext, type FaultKind, hold } from './fault-injection.ts';
import type { FaultLink } from './fault-target.ts';

const LINK = { lanes: ['delivery'], proofs: ['delivery'], weight: 2 } as const;
const FREE = { bitsPerSecond: 1e10, roundTripMs: 0, lossFraction: 0 };

async function disturb(context: FaultContext, begin: () => void, end: () => void) {
  const fromMs = Date.now();
  begin();
  try {
    await hold(context, 1_000, 5_000);
  } finally {
    end();
  }
  return { fromMs, toMs: Date.now() };
}

function faultsOf(name: 'uplink' | 'backbone', words: string): FaultKind[] {
  const on =
    (begin: (link: FaultLink) => void, end: (link: FaultLink) => void) => (context: FaultContext) => {
      const link = context.target.links[name];
      return disturb(
        context,
        () => begin(link),
        () => end(link),
      );
    };
  const restore = (link: FaultLink) => link.restore();
  const free = (link: FaultLink) => link.setConditions(FREE);
  return [
    { ...LINK, name: `${name}-cut`, title: `${words}: cut`, inject: on((link) => link.cut(), restore) },
    {
      ...LINK,
      name: `${name}-stalled`,
      title: `${words}: nothing passes for a while`,
      inject: on((link) => link.freeze(), restore),
    },
    {
      ...LINK,
      name: `${name}-half-open`,
      title: `${words}: connections half-open for good`,
      inject: async ({ target }) => {
        const fromMs = Date.now();
        target.links[name].forget();
        return { fromMs, toMs: Date.now() };
      },
    },
    {
      ...LINK,
      name: `${name}-delayed`,
      title: `${words}: 2 s round trip`,
      inject: on((link) => link.setConditions({ roundTripMs: 2_000 }), free),
    },
    {
      ...LINK,
      name: `${name}-throttled`,
      title: `${words}: 64 kbit/s with 5 % loss`,
      inject: on((link) => link.setConditions({ bitsPerSecond: 64_000, lossFraction: 0.05 }), free),
    },
  ];
}

/** Faults of the network. */
export const linkFaults: readonly FaultKind[] = [
  ...faultsOf('uplink', 'line from node to centre'),
  ...faultsOf('backbone', 'line within the centre'),
];
