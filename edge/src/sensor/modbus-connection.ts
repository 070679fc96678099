import { once } from 'node:events';
import { Socket } from 'node:net';
import { errorMessage, NgatuError, type RegisterPlace, type SensorSource } from '@ngatu/contract';
import ModbusRTU from 'modbus-serial';

export type ModbusSource = Extract<SensorSource, { kind: 'modbus-tcp' | 'modbus-rtu' }>;

/** Registers that are read at once: of one device, one table, side by side. */
export interface RegisterRequest {
  readonly unit: number;
  readonly table: RegisterPlace['table'];
  readonly address: number;
  readonly count: number;
  readonly timeoutMs: number;
}

/** A connected line. One request at a time: the caller waits for each answer. */
export interface ModbusConnection {
  /**
   * Registers 0–65535, or 0 and 1 of coils and discrete inputs, `count` of them.
   * @throws NgatuError SENSOR_UNREACHABLE (no answer in time, line gone), SENSOR_REFUSED (an exception of the device), SENSOR_GARBLED
   */
  read(request: RegisterRequest): Promise<number[]>;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** A peer that vanished without a word is found by the kernel after about this long without traffic, ms. */
const KEEPALIVE_MS = 10_000;

/** The name of a line in messages. */
export function describeLine(source: ModbusSource): string {
  return source.kind === 'modbus-tcp' ? `${source.host}:${source.port}` : source.path;
}

/**
 * Connects to a line.
 * @throws NgatuError SENSOR_UNREACHABLE
 */
export async function openModbusConnection(
  source: ModbusSource,
  signal: AbortSignal,
): Promise<ModbusConnection> {
  try {
    return source.kind === 'modbus-tcp' ? await openTcp(source, signal) : await openSerial(source);
  } catch (cause) {
    throw new NgatuError(
      'SENSOR_UNREACHABLE',
      `Cannot open Modbus line ${describeLine(source)}: ${errorMessage(cause)}`,
      { retryable: true, cause },
    );
  }
}

async function openTcp(
  source: Extract<ModbusSource, { kind: 'modbus-tcp' }>,
  signal: AbortSignal,
): Promise<ModbusConnection> {
  const { host, port, framing } = source;
  const socket = new Socket();
  // Stays for the life of the socket: an 'error' event that nobody hears would end the process.
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const client = openClient();
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    socket.connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    await once(socket, 'connect', { signal: limit });
    if (framing === 'mbap') await client.linkTCP(socket, { port });
    else await client.linkTcpRTUBuffered(socket, { port });
  } catch (error) {
    socket.destroy();
    throw failure ?? error;
  }
  return openConnection(client, {
    name: describeLine(source),
    gone: gone.signal,
    close: () => socket.destroy(),
  });
}

async function openSerial(source: Extract<ModbusSource, { kind: 'modbus-rtu' }>): Promise<ModbusConnection> {
  const { path, baudRate, dataBits, stopBits, parity } = source;
  const client = openClient();
  await client.connectRTUBuffered(path, { baudRate, dataBits, stopBits, parity });
  guardPort(client);
  const gone = new AbortController();
  client.on('close', () => gone.abort());
  return openConnection(client, {
    name: describeLine(source),
    gone: gone.signal,
    close: () => client.close(() => undefined),
  });
}

function openClient(): ModbusRTU {
  const client = new ModbusRTU();
  // What goes wrong is told by the request that waits; the event alone would end the process.
  client.on('error', () => undefined);
  return client;
}

/** The library takes its own listener off a port that it closes; an adapter that is pulled out then speaks to nobody. */
function guardPort(client: ModbusRTU): void {
  const port: unknown = Reflect.get(client, '_port');
  if (typeof port === 'object' && port !== null && 'on' in port && typeof port.on === 'function')
    port.on('error', () => undefined);
}

interface Line {
  readonly name: string;
  /** Aborts when the line is closed by anybody. */
  readonly gone: AbortSignal;
  close(): void;
}

function openConnection(client: ModbusRTU, line: Line): ModbusConnection {
  return {
    close: () => line.close(),
    read: async (request) => {
      const { unit, count, table, timeoutMs } = request;
      client.setID(unit);
      client.setTimeout(timeoutMs);
      try {
        const { data } = await orGone(() => ask(client, request), line.gone);
        const numbers = data.slice(0, count).map(Number);
        const most = table === 'coil' || table === 'discrete' ? 1 : 65_535;
        if (numbers.length < count || numbers.some((number) => !(number >= 0 && number <= most)))
          throw new Error(`Data length error, expected ${count} registers`);
        return numbers;
      } catch (error) {
        throw toSensorError(error, request, line);
      }
    },
  };
}

/** The library does not say that a line was closed: it waits for its time. */
function orGone<T>(work: () => Promise<T>, gone: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => reject(new Error('the line was closed'));
    if (gone.aborted) {
      refuse();
      return;
    }
    gone.addEventListener('abort', refuse, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => gone.removeEventListener('abort', refuse));
  });
}

function ask(
  client: ModbusRTU,
  { table, address, count }: RegisterRequest,
): Promise<{ data: readonly (number | boolean)[] }> {
  switch (table) {
    case 'holding':
      return client.readHoldingRegisters(address, count);
    case 'input':
      return client.readInputRegisters(address, count);
    case 'coil':
      return client.readCoils(address, count);
    case 'discrete':
      return client.readDiscreteInputs(address, count);
  }
}

function toSensorError(cause: unknown, request: RegisterRequest, line: Line): NgatuError {
  const { unit, table, address } = request;
  const what = `Cannot read ${table} register ${address} of unit ${unit} on ${line.name}`;
  const details = cause as { errno?: unknown; modbusCode?: unknown };
  const text = `${what}: ${errorMessage(cause)}`;
  if (typeof details.modbusCode === 'number') return new NgatuError('SENSOR_REFUSED', text, { cause });
  const isAway = details.errno === 'ETIMEDOUT' || details.errno === 'ECONNREFUSED' || line.gone.aborted;
  return new NgatuError(isAway ? 'SENSOR_UNREACHABLE' : 'SENSOR_GARBLED', text, { retryable: true, cause });
}
