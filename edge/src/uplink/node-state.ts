import type { NodeModel, NodeNetwork, NodeState } from '@ngatu/contract';
import type { ByteAccount } from './byte-account.ts';

export interface NodeIdentity {
  /** Names of the node's cameras. */
  readonly cameras: readonly string[];
  /** Version of the agent. */
  readonly version: string;
  readonly directives?: { readonly revision: number | undefined };
  readonly account?: Pick<ByteAccount, 'totals'>;
  /** The detector that serves; undefined while it loads. */
  readonly detector?: { readonly state: NodeModel | undefined } | undefined;
  /** The networks beside it that the profile asks for. */
  readonly networks?: { readonly states: readonly NodeNetwork[] } | undefined;
  readonly outbox: {
    readonly outboxId: string;
    pending(): {
      readonly entries: number;
      readonly bytes: number;
      readonly oldestSeq?: number;
      readonly newestSeq: number;
      readonly telemetryDroppedTotal: number;
      readonly casesDroppedTotal: number;
    };
  };
  readonly clock: { nowMs(): number };
}

/** What is the same for all statements of one connection. */
export interface NodeConnection {
  /** One per start of the agent. */
  readonly bootId: string;
  readonly connectedAt: string;
  /** Of the certificate that was shown to the broker. */
  readonly certificateSha256?: string;
}

/** The retained statement of a node about itself. */
export function buildNodeState(
  identity: NodeIdentity,
  connection: NodeConnection,
  state: NodeState['state'],
): NodeState {
  const directiveRevision = identity.directives?.revision;
  const usage = identity.outbox.pending();
  const model = identity.detector?.state;
  const networks = identity.networks?.states;
  return {
    schemaVersion: 1,
    state,
    ...connection,
    at: new Date(identity.clock.nowMs()).toISOString(),
    version: identity.version,
    cameras: [...identity.cameras],
    ...(directiveRevision === undefined ? {} : { directiveRevision }),
    ...(model === undefined ? {} : { model }),
    ...(networks === undefined ? {} : { networks: [...networks] }),
    outbox: {
      outboxId: identity.outbox.outboxId,
      waiting: usage.entries,
      waitingBytes: usage.bytes,
      ...(usage.oldestSeq === undefined ? {} : { oldestSeq: usage.oldestSeq }),
      newestSeq: usage.newestSeq,
      droppedTotal: usage.telemetryDroppedTotal + usage.casesDroppedTotal,
    },
    ...(identity.account === undefined ? {} : { sentBytes: identity.account.totals }),
  };
}
