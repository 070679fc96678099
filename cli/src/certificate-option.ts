import { NgatuError } from '@ngatu/contract';
import type { CertificateHolder } from '@ngatu/trust';
import type { Command } from 'commander';

/** Whom a command of `ngatu ca` is about. */
export interface HolderOptions {
  readonly site?: string;
  readonly node?: string;
  readonly centre?: boolean;
  readonly broker?: boolean;
}

export function takesHolder(command: Command): Command {
  return command
    .option('--site <name>', 'site of a node')
    .option('--node <name>', 'name of a node')
    .option('--centre', 'the centre')
    .option('--broker', 'the broker');
}

/** @throws NgatuError USAGE where it is none or several */
export function readHolder({ site, node, centre, broker }: HolderOptions): CertificateHolder {
  const found: CertificateHolder[] = [];
  if (site !== undefined && node !== undefined) found.push({ kind: 'node', site, node });
  if (centre === true) found.push({ kind: 'centre' });
  if (broker === true) found.push({ kind: 'broker' });
  const [holder] = found;
  const isHalf = (site === undefined) !== (node === undefined);
  if (holder !== undefined && found.length === 1 && !isHalf) return holder;
  throw new NgatuError(
    'USAGE',
    'Cannot tell whom this is about: name --site and --node, --centre or --broker',
  );
}

export function describeHolder(holder: CertificateHolder): string {
  return holder.kind === 'node' ? `${holder.site}/${holder.node}` : holder.kind;
}
