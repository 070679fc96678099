import type { NodeState } from '@ngatu/contract';

export interface NodeIdentity {
  /** Names of the node's cameras. */
  readonly cameras: readonly string[];
  /** Version of the agent. */
  readonly version: string;
  readonly directives?: { readonly revision: number | undefined };
  readonly clock: { nowMs(): number };
}

/** The retained statement of a node about itself; `bootId` is one per start of the agent. */
export function buildNodeState(identity: NodeIdentity, bootId: string, state: NodeState['state']): NodeState {
  const directiveRevision = identity.directives?.revision;
  return {
    schemaVersion: 1,
    state,
    bootId,
    at: new Date(identity.clock.nowMs()).toISOString(),
    version: identity.version,
    cameras: [...identity.cameras],
    ...(directiveRevision === undefined ? {} : { directiveRevision }),
  };
}
