import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  type Authority,
  type CertificateFacts,
  createAuthority,
  createRequest,
  installAnswer,
  issueIdentity,
  loadIdentity,
  loadIssued,
  mergeRevocationLists,
  publishRevocationList,
  REVOCATION_REASONS,
  type RevocationReason,
  revoke,
  settlePair,
  signRequest,
  writePrivateFile,
} from '@ngatu/trust';
import { Command, Option } from 'commander';
import { lockAuthority, withAuthority } from './authority-folder.ts';
import { describeHolder, type HolderOptions, readHolder, takesHolder } from './certificate-option.ts';
import { readCount } from './option.ts';

const PASSPHRASE = 'NGATU_CA_PASSPHRASE';
const TLS_ONLY = ['tls'] as const;
const DAY_MS = 86_400_000;

const NOTES = `
The key of the authority is encrypted where ${PASSPHRASE} is set when it is made (12 characters or more); the same variable then opens
it. docs/certificates.md tells the whole way, from the first day to a lost key.`;

/** `ngatu ca`: the province's own certificate authority, and the identities of nodes, centre and broker. */
export function buildCommand(): Command {
  const command = new Command('ca')
    .description('Keeps the province’s own certificate authority: who is a node, the centre, the broker.')
    .addHelpText('after', NOTES);
  addAuthorityCommands(command);
  addIssueCommands(command);
  addHolderCommands(command);
  return command;
}

interface AuthorityOptions {
  readonly dir: string;
}

function addAuthorityCommands(command: Command): void {
  withDir(command.command('init'))
    .description('begin an authority: its key, its certificate, its ledger')
    .requiredOption('--name <name>', 'the name that its certificate shows, as "Tỉnh Đồng Nai"')
    .action(async ({ dir, name }: AuthorityOptions & { name: string }) => {
      const authority = await lockAuthority(resolve(dir), () =>
        createAuthority(resolve(dir), { name, ...readPassphrase() }),
      );
      console.log(`${join(authority.dir, 'ca.crt')}\nsha256 ${digestOf(authority.caPem)}`);
      if (process.env[PASSPHRASE] === undefined)
        console.log(`its key is not encrypted: whoever reads ${dir} can issue`);
    });
  withDir(command.command('list'))
    .description('show what was issued, and what became of it')
    .option('--expiring <days>', 'only what is in force and expires within so many days', readCount)
    .option('--json', 'one JSON object a line')
    .action(list);
  withPublish(withDir(takesHolder(command.command('revoke'))))
    .description('revoke all certificates of a holder, or some by their serial numbers')
    .option('--serial <hex...>', 'serial numbers, as `list` shows them')
    .addOption(new Option('--reason <reason>', 'why').choices(REVOCATION_REASONS).default('keyCompromise'))
    .action(revokeCertificates);
  withPublish(withDir(command.command('crl')))
    .description('sign the revocation list anew, and copy it to who relies on it')
    .action(({ dir, publish }: AuthorityOptions & PublishOptions) =>
      useAuthority(dir, async (authority) => publishList(await publishRevocationList(authority), publish)),
    );
}

interface IssueCommandOptions extends AuthorityOptions, HolderOptions {
  readonly host?: string[];
  readonly days?: number;
}

function addIssueCommands(command: Command): void {
  withIssue(withDir(takesHolder(command.command('enrol'))))
    .description('make keys and certificates where authority and identity are on one machine')
    .requiredOption('--identity <folder>', 'folder that gets them')
    .action((options: IssueCommandOptions & { identity: string }) =>
      useAuthority(options.dir, async (authority) => {
        const dir = resolve(options.identity);
        printIssued(await issueIdentity(authority, readHolder(options), dir, readIssue(options)));
      }),
    );
  withIssue(withDir(takesHolder(command.command('sign'))))
    .description('sign the request of a holder that has made its keys itself')
    .requiredOption('--request <file>', 'what `ngatu ca request` has written')
    .requiredOption('--out <file>', 'gets the answer, for `ngatu ca install`')
    .action((options: IssueCommandOptions & { request: string; out: string }) =>
      useAuthority(options.dir, async (authority) => {
        const request = readText(options.request);
        const { answerPem, issued } = await signRequest(
          authority,
          request,
          readHolder(options),
          readIssue(options),
        );
        writeText(options.out, answerPem);
        printIssued(issued);
        console.log(`authority sha256 ${digestOf(authority.caPem)}`);
      }),
    );
  withIssue(withDir(command.command('rotate')))
    .description('replace an identity before it expires; the old certificates stay valid until they do')
    .requiredOption('--identity <folder>', 'folder that holds it')
    .option('--tls-only', 'keep the seal')
    .action((options: IssueCommandOptions & { identity: string; tlsOnly?: boolean }) =>
      useAuthority(options.dir, async (authority) => {
        const { dir, holder, tls } = loadSettled(options.identity);
        const { hosts = [...tls.facts.hosts], validDays } = readIssue(options);
        const chosen = options.tlsOnly === true ? { pairs: TLS_ONLY } : {};
        const days = validDays === undefined ? {} : { validDays };
        printIssued(await issueIdentity(authority, holder, dir, { hosts, ...days, ...chosen }));
      }),
    );
}

function addHolderCommands(command: Command): void {
  takesHolder(command.command('request'))
    .description('on the machine of a node, the centre or the broker: make new keys and ask for certificates')
    .requiredOption('--identity <folder>', 'folder that holds the identity, or will')
    .option('--tls-only', 'keep the seal')
    .action(async (options: HolderOptions & { identity: string; tlsOnly?: boolean }) => {
      const dir = resolve(options.identity);
      const request = await createRequest(dir, readHolder(options), options.tlsOnly ? TLS_ONLY : undefined);
      const file = join(dir, 'pending', 'request.pem');
      console.log(`${file}\nsha256 ${createHash('sha256').update(request).digest('hex')}`);
    });
  command
    .command('install')
    .description('on that machine: take the answer of the authority')
    .requiredOption('--identity <folder>', 'folder of the request')
    .requiredOption('--answer <file>', 'what `ngatu ca sign` has written')
    .option(
      '--ca-sha256 <hex>',
      'digest of the authority’s certificate, told by another way; asked for at the first time',
    )
    .action(async (options: { identity: string; answer: string; caSha256?: string }) => {
      const dir = resolve(options.identity);
      if (options.caSha256 === undefined && !existsSync(join(dir, 'ca.crt'))) {
        throw new NgatuError(
          'USAGE',
          'Cannot install a first answer without --ca-sha256: whoever slips in an answer would own this machine',
        );
      }
      const trusted = options.caSha256 === undefined ? {} : { caSha256: options.caSha256 };
      await installAnswer(dir, readText(options.answer), { nowMs: Date.now(), ...trusted });
      const { tls, seal } = loadIdentity(dir);
      printIssued([tls.facts, ...(seal === undefined ? [] : [seal.facts])]);
    });
}

interface PublishOptions {
  readonly publish?: string[];
}

async function revokeCertificates(
  options: AuthorityOptions &
    PublishOptions &
    HolderOptions & { serial?: string[]; reason: RevocationReason },
): Promise<void> {
  const target =
    options.serial === undefined ? { holder: readHolder(options) } : { serialNumbers: options.serial };
  await useAuthority(options.dir, async (authority) => {
    for (const { holder, kind, serialNumber } of await revoke(authority, target, options.reason))
      console.log(`revoked ${holder} ${kind} ${serialNumber}`);
    await publishList(readText(join(authority.dir, 'crl.pem')), options.publish);
  });
}

function list({ dir, expiring, json }: AuthorityOptions & { expiring?: number; json?: boolean }): void {
  const nowMs = Date.now();
  for (const entry of loadIssued(resolve(dir))) {
    const leftMs = Date.parse(entry.notAfter) - nowMs;
    const inForce = entry.revoked === undefined && leftMs > 0;
    if (expiring !== undefined && !(inForce && leftMs <= expiring * DAY_MS)) continue;
    const state = entry.revoked === undefined ? (leftMs > 0 ? 'in force' : 'expired') : 'revoked';
    const { holder, kind, serialNumber, notAfter } = entry;
    console.log(
      json
        ? JSON.stringify({ holder, kind, serialNumber, notAfter, state, ...entry.revoked })
        : `${serialNumber}  ${kind.padEnd(4)}  ${state.padEnd(8)}  until ${notAfter.slice(0, 10)}  ${holder}`,
    );
  }
}

function withDir(command: Command): Command {
  return command.requiredOption('--dir <folder>', 'folder of the authority');
}

function withIssue(command: Command): Command {
  return command
    .option('--host <name...>', 'DNS names and addresses under which a centre or broker is reached')
    .option('--days <number>', 'how long the certificates are valid', readCount);
}

function withPublish(command: Command): Command {
  return command.option('--publish <folder...>', 'identities that get the new revocation list');
}

function readIssue({ host, days }: { host?: string[]; days?: number }): {
  hosts?: string[];
  validDays?: number;
} {
  return {
    ...(host === undefined ? {} : { hosts: host }),
    ...(days === undefined ? {} : { validDays: days }),
  };
}

function readPassphrase(): { passphrase?: string } {
  const passphrase = process.env[PASSPHRASE];
  return passphrase === undefined ? {} : { passphrase };
}

function useAuthority(dir: string, work: (authority: Authority) => Promise<void>): Promise<void> {
  return withAuthority(resolve(dir), readPassphrase().passphrase, work);
}

function loadSettled(identity: string): ReturnType<typeof loadIdentity> {
  const dir = resolve(identity);
  for (const name of ['tls', 'seal'] as const) settlePair(dir, name);
  return loadIdentity(dir);
}

function printIssued(issued: readonly CertificateFacts[]): void {
  for (const { holder, uses, serialNumber, notAfterMs } of issued) {
    const until = new Date(notAfterMs).toISOString().slice(0, 10);
    console.log(`${describeHolder(holder)}  ${uses.join('+')}  ${serialNumber}  until ${until}`);
  }
}

async function publishList(pem: string, folders: readonly string[] = []): Promise<void> {
  for (const folder of folders) {
    const path = join(resolve(folder), 'crl.pem');
    writeText(path, await mergeRevocationLists(existsSync(path) ? readText(path) : '', pem));
    console.log(`revocation list copied to ${folder}`);
  }
}

function digestOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

function writeText(path: string, text: string): void {
  writePrivateFile(resolve(path), text);
}
