import { copyFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asStorageError } from '@ngatu/contract';
import {
  type Authority,
  type CertificateHolder,
  createAuthority,
  type Identity,
  isAuthorityFolder,
  issueIdentity,
  loadIdentity,
  openAuthority,
  settlePair,
} from '@ngatu/trust';
import { lockAuthority, withAuthority } from './authority-folder.ts';
import type { StartPaths } from './start-files.ts';

/** An identity that a part of `ngatu start` shows, and where it lies. */
export interface StartIdentity {
  readonly holder: CertificateHolder;
  readonly dir: string;
  /** Under which names a server is reached. */
  readonly hosts: readonly string[];
}

const LOOPBACK = ['127.0.0.1', 'localhost'];
/** A pair is renewed when less than this part of its validity is left. */
const RENEW_AT_FRACTION = 1 / 3;
const LOOK_EVERY_MS = 1_000;
const RENEWAL_EVERY_MS = 3_600_000;

/** Where the parts look for their identities: below their own folders. */
export function listStartIdentities(
  paths: Pick<StartPaths, 'edge' | 'cloud' | 'broker'>,
  { site, node }: { site: string; node: string },
): StartIdentity[] {
  return [
    { holder: { kind: 'broker' }, dir: join(paths.broker, 'identity'), hosts: LOOPBACK },
    { holder: { kind: 'centre' }, dir: join(paths.cloud, 'identity'), hosts: LOOPBACK },
    { holder: { kind: 'node', site, node }, dir: join(paths.edge, 'identity'), hosts: [] },
  ];
}

/**
 * Gives every part of `ngatu start` an identity of an authority of its own, in `authority` below the data folder: at the first start all
 * are made, later those that are missing, of another name or soon to expire. What was revoked stays as it is: who revoked it decides.
 * @throws NgatuError AUTHORITY_INVALID, IDENTITY_INVALID, PERMISSION_DENIED, DISK_FULL
 */
export function prepareIdentities(dir: string, identities: readonly StartIdentity[]): Promise<void> {
  return lockAuthority(dir, async () => {
    const authority = isAuthorityFolder(dir)
      ? await openAuthority(dir)
      : await createAuthority(dir, {
          name: `ngatu on ${hostname()
            .replaceAll(/[^A-Za-z0-9.-]/g, '-')
            .slice(0, 40)}`,
        });
    await renewIdentities(authority, identities);
  });
}

/** Renews what is due, and brings the revocation list to everybody. Returns the folders in which a pair is new. */
export async function renewIdentities(
  authority: Authority,
  identities: readonly StartIdentity[],
): Promise<string[]> {
  const renewed: string[] = [];
  for (const { holder, dir, hosts } of identities) {
    const pairs = listDuePairs(authority, { holder, dir });
    if (pairs.length > 0) {
      await issueIdentity(authority, holder, dir, { hosts, pairs });
      renewed.push(dir);
    }
    copyRevocationList(authority.dir, dir);
  }
  return renewed;
}

type PairName = 'tls' | 'seal';

function listDuePairs(
  authority: Authority,
  { holder, dir }: Pick<StartIdentity, 'holder' | 'dir'>,
): PairName[] {
  const all: PairName[] = holder.kind === 'broker' ? ['tls'] : ['tls', 'seal'];
  const known = loadKnown(dir);
  const isOther =
    known === undefined ||
    known.caPem !== authority.caPem ||
    JSON.stringify(known.holder) !== JSON.stringify(holder);
  if (isOther) {
    // Of another authority or name: an answer of ours would be refused beside it. It is kept for whoever needs its keys yet.
    if (known !== undefined) renameSync(dir, `${dir}.until-${authority.clock.nowMs()}`);
    return all;
  }
  return all.filter((name) => {
    const facts = known[name]?.facts;
    if (facts === undefined) return true;
    const { notBeforeMs, notAfterMs } = facts;
    return notAfterMs - authority.clock.nowMs() < (notAfterMs - notBeforeMs) * RENEW_AT_FRACTION;
  });
}

function loadKnown(dir: string): Identity | undefined {
  if (!existsSync(join(dir, 'ca.crt'))) return undefined;
  for (const name of ['tls', 'seal'] as const) settlePair(dir, name);
  return loadIdentity(dir);
}

function copyRevocationList(authorityDir: string, dir: string): boolean {
  const from = join(authorityDir, 'crl.pem');
  const to = join(dir, 'crl.pem');
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return false;
  try {
    copyFileSync(from, `${to}.part`);
    renameSync(`${to}.part`, to);
  } catch (error) {
    throw asStorageError(error, `copy the revocation list to ${dir}`);
  }
  return true;
}

export interface IdentityWatch {
  readonly authorityDir: string;
  readonly identities: readonly StartIdentity[];
  /** A new revocation list has come to the parts: connections that stand must be cut. */
  readonly onRevoked: () => void;
  /** The broker's certificate is new. */
  readonly onBrokerRenewed: () => void;
  readonly onError: (error: unknown) => void;
}

/** Follows what `ngatu ca` does with the authority, and renews what is soon to expire, until it is disposed. */
export function watchIdentities(watch: IdentityWatch): AsyncDisposable {
  const stop = new AbortController();
  const watching = follow(watch, stop.signal);
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return watching;
    },
  };
}

async function follow(watch: IdentityWatch, signal: AbortSignal): Promise<void> {
  const list = join(watch.authorityDir, 'crl.pem');
  let renewAtMs = performance.now() + RENEWAL_EVERY_MS;
  let known = readStamp(list);
  while (!signal.aborted) {
    // Rejects only when everything is stopped: the loop ends.
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const stamp = readStamp(list);
      if (stamp !== known && stamp !== undefined) {
        const copied = watch.identities.map(({ dir }) => copyRevocationList(watch.authorityDir, dir));
        if (copied.includes(true)) watch.onRevoked();
        known = stamp;
      }
      if (performance.now() >= renewAtMs) {
        renewAtMs = performance.now() + RENEWAL_EVERY_MS;
        await renewAll(watch);
      }
    } catch (error) {
      watch.onError(error);
    }
  }
}

async function renewAll({ authorityDir, identities, onBrokerRenewed }: IdentityWatch): Promise<void> {
  const renewed = await withAuthority(authorityDir, undefined, (authority) =>
    renewIdentities(authority, identities),
  );
  const broker = identities.find(({ holder }) => holder.kind === 'broker');
  if (broker !== undefined && renewed.includes(broker.dir)) onBrokerRenewed();
}

function readStamp(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
