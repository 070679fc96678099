import { Socket } from 'node:net';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';

export interface BrokerAddress {
  /** `mqtt://` or `mqtts://`, without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the authority that signed the broker's certificate, where it is not a public one. */
  readonly ca?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const KEEPALIVE_SECONDS = 15;

/**
 * One connection, without a session at the broker and without the client's own reconnect: a new connection is a new
 * client, so nothing of the old one is sent twice behind the outbox's back.
 * @throws NgatuError BROKER_UNREACHABLE (retryable)
 */
export async function openBrokerConnection(
  broker: BrokerAddress,
  options: Pick<IClientOptions, 'clientId' | 'will'>,
  signal: AbortSignal,
): Promise<MqttClient> {
  const client = connect(broker.url, {
    ...options,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: broker.password }),
    ...(broker.ca === undefined ? {} : { ca: broker.ca }),
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
