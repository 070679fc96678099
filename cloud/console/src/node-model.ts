import type { NodeNetwork, NodeState } from '@ngatu/contract';

/** One model of a node, as it is shown. */
export interface ShownModel {
  readonly use: NodeNetwork['use'] | 'road-users';
  readonly name: string;
  readonly sha256?: string;
  readonly state: 'serving' | 'loading' | 'absent' | 'refused';
  /** Of the one that serves. */
  readonly since?: string;
  /** What was asked for and not taken. */
  readonly refused?: NonNullable<NodeNetwork['refused']>;
}

/** The detector and the networks of a node; none for a node that says nothing about them. */
export function listModels({ model, networks = [] }: Pick<NodeState, 'model' | 'networks'>): ShownModel[] {
  const detector = model === undefined ? [] : [{ use: 'road-users' as const, ...model }];
  return [...detector, ...networks].map((each) => ({ ...each, state: tellState(each) }));
}

function tellState({ sha256, refused }: Pick<NodeNetwork, 'sha256' | 'refused'>): ShownModel['state'] {
  if (sha256 !== undefined) return 'serving';
  if (refused === undefined) return 'loading';
  return refused.code === 'ASSET_UNAVAILABLE' ? 'absent' : 'refused';
}
