import { Socket } from 'node:net';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { describeTlsError } from '@ngatu/trust';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { isIdentityFailure, openTlsIdentity } from './tls-identity.ts';

export interface BrokerAddress {
  /** `mqtt://` or `mqtts://`, without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Folder of the identity that is shown to an `mqtts://` broker, and of the authority that the broker must be of. */
  readonly identityDir?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that is dead without a word is given up after one and a half of it, so that what is found arrives within 10 s, s. */
const KEEPALIVE_SECONDS = 5;

/**
 * One connection, without a session at the broker and without the client's own reconnect: a new connection is a new
 * client, so nothing of the old one is sent twice behind the outbox's back.
 * @throws NgatuError BROKER_UNREACHABLE, or of a certificate or identity; all of them `isConnectionFailure`
 */
export async function openBrokerConnection(
  broker: BrokerAddress,
  options: Pick<IClientOptions, 'will'> & { readonly clientId: string },
  signal: AbortSignal,
): Promise<MqttClient> {
  const tls = broker.identityDir === undefined ? undefined : openTlsIdentity(broker.identityDir);
  const clientId = [options.clientId, ...(tls === undefined ? [] : [tls.secretSuffix])].join('-');
  const client = connect(broker.url, {
    ...options,
    ...tls?.credentials,
    clientId,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: broker.password }),
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEPALIVE_SECONDS,
    queueQoSZero: false,
    resubscribe: false,
  });
  try {
    await waitForConnect(client, signal);
    // Small packets must not wait for the answer to the one before (Nagle with delayed ACK: 40 ms a hop).
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    return client;
  } catch (error) {
    client.end(true);
    const refusal = describeTlsError(error, `connect to broker ${broker.url}`);
    if (refusal !== undefined) throw refusal;
    throw new NgatuError(
      'BROKER_UNREACHABLE',
      `Cannot connect to broker ${broker.url}: ${errorMessage(error)}`,
      {
        retryable: true,
        cause: error,
      },
    );
  }
}

/** True for what a new attempt may cure: the broker is away, or a certificate is not good now and will be rotated. */
export function isConnectionFailure(error: unknown): boolean {
  return error instanceof NgatuError && (error.code === 'BROKER_UNREACHABLE' || isIdentityFailure(error));
}

function waitForConnect(client: MqttClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      client.off('connect', onConnect);
      client.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onConnect = (): void => settle();
    const onClose = (): void => settle(lastError ?? new Error('connection closed'));
    const onAbort = (): void => settle(new Error('stopped'));
    let lastError: Error | undefined;
    // Stays for the life of the client: an 'error' event that nobody hears would end the process.
    client.on('error', (error) => {
      lastError = error;
    });
    client.on('connect', onConnect);
    client.on('close', onClose);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
