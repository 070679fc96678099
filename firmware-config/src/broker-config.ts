import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  buildChannelFilter,
  buildTopic,
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

export interface MosquittoOptions {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Absolute folder of the broker: its database, and the two files that `config` names. */
  readonly dataDir: string;
  readonly users: readonly BrokerUser[];
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

/** Above what an ingestor refuses, so that it can refuse it with a reason; below what would hurt the broker. */
const BROKER_MESSAGE_MAX_BYTES = 4 * MESSAGE_MAX_BYTES;

/**
 * Renders what mosquitto 2.0 needs for one loopback listener without anonymous access.
 * @throws NgatuError PROFILE_INVALID where a name or path cannot stand in these files
 */
export function renderMosquittoConfig({ port, dataDir, users, runAs }: MosquittoOptions): MosquittoFiles {
  if (/[\r\n]/.test(dataDir))
    throw new NgatuError('PROFILE_INVALID', 'Cannot render broker: the folder has a line break');
  for (const { name, acl } of users) {
    checkUserName(name);
    const topics =
      acl.role === 'controller' ? acl.topics : acl.role === 'node' ? acl.signalTopics : undefined;
    for (const topic of topics ?? []) checkSignalTopic(topic);
  }
  const passwordPath = join(dataDir, 'passwords');
  const aclPath = join(dataDir, 'acl');
  const config = [
    `listener ${port} 127.0.0.1`,
    // Without it every small packet waits for the one before: rates fall 25 times.
    'set_tcp_nodelay true',
    'allow_anonymous false',
    `password_file ${passwordPath}`,
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
  ];
  return {
    config: toText(config),
    passwordFile: toText(users.map(({ name, password }) => `${name}:${hashPassword(password)}`)),
    passwordPath,
    aclFile: toText(users.flatMap(renderAcl)),
    aclPath,
  };
}

function checkUserName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return;
  throw new NgatuError(
    'PROFILE_INVALID',
    `Cannot render broker: user name "${name}" has characters other than A–Z a–z 0–9 . _ -`,
  );
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

function renderAcl({ name, acl }: BrokerUser): string[] {
  const lines = [`user ${name}`];
  if (acl.role === 'node') {
    const { site, node, signalTopics = [] } = acl;
    for (const channel of [...NUMBERED_CHANNELS, 'state'] as const) {
      lines.push(`topic write ${buildTopic({ site, node, channel })}`);
    }
    for (const channel of ['ack', 'directive'] as const)
      lines.push(`topic read ${buildTopic({ site, node, channel })}`);
    for (const topic of signalTopics) lines.push(`topic read ${topic}`);
  } else if (acl.role === 'ingestor') {
    for (const channel of [...NUMBERED_CHANNELS, 'state'] as const)
      lines.push(`topic read ${buildChannelFilter(channel)}`);
    for (const channel of ['ack', 'directive'] as const)
      lines.push(`topic write ${buildChannelFilter(channel)}`);
  } else {
    for (const topic of acl.topics) lines.push(`topic write ${topic}`);
  }
  return [...lines, ''];
}

function toText(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
