import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  buildChannelFilter,
  buildTopic,
  type Channel,
  DOWNLINK_CHANNELS,
  MESSAGE_MAX_BYTES,
  NgatuError,
  NUMBERED_CHANNELS,
} from '@ngatu/contract';

/**
 * What a user of the broker may do: a node its own channels and the signal topics of its profile, an ingestor all channels from
 * the other side, a signal controller its own topics.
 */
type BrokerAcl =
  | {
      readonly role: 'node';
      readonly site: string;
      readonly node: string;
      readonly signalTopics?: readonly string[];
    }
  | { readonly role: 'ingestor' }
  | { readonly role: 'controller'; readonly topics: readonly string[] };

export interface BrokerUser {
  readonly name: string;
  readonly password: string;
  readonly acl: BrokerAcl;
}

/**
 * The listener for nodes and centre: mutual TLS. The common name of the certificate is the user: `centre`, or `{site}/{node}`, who
 * may write and read below this name without being listed.
 */
export interface BrokerTls {
  /** Address to listen on. */
  readonly host: string;
  readonly port: number;
  /** Absolute folder with the broker's `tls.key`, `tls.crt`, the authority's `ca.crt` and its `crl.pem`. */
  readonly identityDir: string;
  /** Nodes that listen to signal controllers as well. */
  readonly signalListeners?: readonly Extract<BrokerAcl, { role: 'node' }>[];
}

export interface MosquittoOptions {
  /** Port on 127.0.0.1 for users with passwords, in the clear. Without it there is no such listener. */
  readonly port?: number;
  readonly tls?: BrokerTls;
  /** Who signs in with a password. */
  readonly users: readonly BrokerUser[];
  /** Absolute folder of the broker: its database, and the two files that `config` names. */
  readonly dataDir: string;
  /** Account that mosquitto changes to where it is started as root; it must be able to read and write `dataDir`. */
  readonly runAs?: string;
}

/** Contents of three files; `passwordPath` and `aclPath` are where `config` looks for two of them. */
export interface MosquittoFiles {
  readonly config: string;
  readonly passwordFile: string;
  readonly passwordPath: string;
  readonly aclFile: string;
  readonly aclPath: string;
}

/**
 * mosquitto's `$7$` format: PBKDF2-HMAC-SHA512, iterations, salt and 64-byte key in base64 (mosquitto 2.0,
 * `src/password_mosq.c`). The passwords are generated, so the count need not slow a guesser down; each connection pays it.
 */
const PBKDF2_ITERATIONS = 10_000;
const SALT_BYTES = 12;
const KEY_BYTES = 64;

/** What a node writes and the centre reads. */
const UPLINK_CHANNELS = [...NUMBERED_CHANNELS, 'state'] as const;
/** Common name of the centre's certificates. */
const CENTRE_NAME = 'centre';

/** Above what an ingestor refuses, so that it can refuse it with a reason; below what would hurt the broker. */
const BROKER_MESSAGE_MAX_BYTES = 4 * MESSAGE_MAX_BYTES;

/**
 * Renders what mosquitto 2.0 needs, without anonymous access: a listener with mutual TLS, one with passwords on the loopback, or both.
 * Every certified node may write and read below its own name without being listed. On SIGHUP mosquitto 2.0.11 reads its
 * certificate and the revocation list again for new connections; those that stand are cut by a restart alone.
 * @throws NgatuError PROFILE_INVALID where a name or path cannot stand in these files
 */
export function renderMosquittoConfig({
  port,
  tls,
  dataDir,
  users,
  runAs,
}: MosquittoOptions): MosquittoFiles {
  checkFolder(dataDir);
  if (tls !== undefined) checkFolder(tls.identityDir);
  for (const { name } of users) checkUserName(name, tls !== undefined);
  const certified = tls === undefined ? [] : listCertified(tls);
  for (const { acl } of [...users, ...certified]) checkSignalTopics(acl);
  if (port === undefined && tls === undefined)
    throw new NgatuError('PROFILE_INVALID', 'Cannot render broker: it has no listener');
  const passwordPath = join(dataDir, 'passwords');
  const aclPath = join(dataDir, 'acl');
  const config = [
    // Without it every small packet waits for the one before: rates fall 25 times.
    'set_tcp_nodelay true',
    'allow_anonymous false',
    ...(port === undefined ? [] : [`password_file ${passwordPath}`]),
    `acl_file ${aclPath}`,
    'persistence true',
    `persistence_location ${join(dataDir, '/')}`,
    'autosave_interval 60',
    `message_size_limit ${BROKER_MESSAGE_MAX_BYTES}`,
    'max_inflight_messages 200',
    'max_queued_messages 10000',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    'log_type notice',
    ...(runAs === undefined ? [] : [`user ${runAs}`]),
    ...(port === undefined ? [] : [`listener ${port} 127.0.0.1`]),
    ...(tls === undefined ? [] : renderTlsListener(tls)),
  ];
  const acls = [...users, ...certified].flatMap(({ name, acl }) => renderAcl(name, acl));
  return {
    config: toText(config),
    passwordFile: toText(users.map(({ name, password }) => `${name}:${hashPassword(password)}`)),
    passwordPath,
    aclFile: toText([...acls, ...(tls === undefined ? [] : renderNodePattern())]),
    aclPath,
  };
}

/** Holders of certificates whose rights are more than the pattern gives. */
function listCertified({ signalListeners = [] }: BrokerTls): Omit<BrokerUser, 'password'>[] {
  const listeners = signalListeners.map((acl) => ({ name: `${acl.site}/${acl.node}`, acl }));
  return [{ name: CENTRE_NAME, acl: { role: 'ingestor' } }, ...listeners];
}

function renderTlsListener({ host, port, identityDir }: BrokerTls): string[] {
  return [
    `listener ${port} ${host}`,
    `cafile ${join(identityDir, 'ca.crt')}`,
    `certfile ${join(identityDir, 'tls.crt')}`,
    `keyfile ${join(identityDir, 'tls.key')}`,
    `crlfile ${join(identityDir, 'crl.pem')}`,
    'require_certificate true',
    'use_identity_as_username true',
    'tls_version tlsv1.2',
  ];
}

/** `%u` is the common name, `{site}/{node}`: the whole of what stands between the version and the channel. */
function renderNodePattern(): string[] {
  const topicOf = (channel: Channel) => buildChannelFilter(channel).replace('+/+', '%u');
  return [
    ...UPLINK_CHANNELS.map((channel) => `pattern write ${topicOf(channel)}`),
    ...DOWNLINK_CHANNELS.map((channel) => `pattern read ${topicOf(channel)}`),
    '',
  ];
}

function checkFolder(path: string): void {
  if (!/[\r\n]/.test(path)) return;
  throw new NgatuError('PROFILE_INVALID', 'Cannot render broker: a folder has a line break');
}

function checkSignalTopics(acl: BrokerAcl): void {
  const topics = acl.role === 'controller' ? acl.topics : acl.role === 'node' ? acl.signalTopics : undefined;
  for (const topic of topics ?? []) checkSignalTopic(topic);
}

function checkUserName(name: string, hasCertificates: boolean): void {
  const isWord = /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
  if (isWord && !(hasCertificates && name === CENTRE_NAME)) return;
  const reason = isWord ? 'is that of a certificate' : 'has characters other than A–Z a–z 0–9 . _ -';
  throw new NgatuError('PROFILE_INVALID', `Cannot render broker: user name "${name}" ${reason}`);
}

function hashPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const key = pbkdf2Sync(password, salt, PBKDF2_ITERATIONS, KEY_BYTES, 'sha512');
  return `$7$${PBKDF2_ITERATIONS}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** A wildcard, or a topic of ngatu itself, would let a controller speak for a node. */
function checkSignalTopic(topic: string): void {
  const [root, version] = buildChannelFilter('event').split('/');
  if (/^[^+#\s]+$/.test(topic) && topic !== root && !topic.startsWith(`${root}/${version}/`)) return;
  throw new NgatuError(
    'PROFILE_INVALID',
    `Cannot render broker: "${topic}" is no topic of a signal controller`,
  );
}

function renderAcl(name: string, acl: BrokerAcl): string[] {
  const lines = [`user ${name}`];
  if (acl.role === 'node') {
    const { site, node, signalTopics = [] } = acl;
    for (const channel of UPLINK_CHANNELS) lines.push(`topic write ${buildTopic({ site, node, channel })}`);
    for (const channel of DOWNLINK_CHANNELS) lines.push(`topic read ${buildTopic({ site, node, channel })}`);
    for (const topic of signalTopics) lines.push(`topic read ${topic}`);
  } else if (acl.role === 'ingestor') {
    for (const channel of UPLINK_CHANNELS) lines.push(`topic read ${buildChannelFilter(channel)}`);
    for (const channel of DOWNLINK_CHANNELS) lines.push(`topic write ${buildChannelFilter(channel)}`);
  } else {
    for (const topic of acl.topics) lines.push(`topic write ${topic}`);
  }
  return [...lines, ''];
}

function toText(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
