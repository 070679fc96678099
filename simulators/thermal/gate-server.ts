import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorMessage, NgatuError, type TemperatureMatrix } from '@ngatu/contract';
import type { SimulatedThermalFrame } from './thermal-scene.ts';

/** What of a simulated gate is served. */
export interface ServedGate {
  takePicture(atMs: number): SimulatedThermalFrame;
  describeRoom(atMs: number): { readonly celsius: number; readonly relativeHumidity: number };
}

export interface GateServerOptions {
  readonly gate: ServedGate;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly framesPerSecond: number;
}

const toHundredths = (value: number): number => Math.round(value * 100) / 100;

/**
 * Serves a simulated thermal camera as a gate asks for one: `GET /matrix` the picture of this instant as a `TemperatureMatrix`, `GET /air`
 * the room as `{"t", "rh"}`, °C and per cent. Pictures are made as they are asked for, one for each frame time.
 * @throws NgatuError PORT_TAKEN
 */
export async function startGateServer(
  options: GateServerOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { gate, host, port, framesPerSecond } = options;
  const beganMs = Date.now();
  let frame = -1;
  let matrix = '';
  const answers = new Map<string, () => string>([
    [
      '/matrix',
      () => {
        const index = Math.floor(((Date.now() - beganMs) * framesPerSecond) / 1_000);
        if (index > frame) {
          const atMs = (index * 1_000) / framesPerSecond;
          matrix = JSON.stringify(toMatrix(gate.takePicture(atMs), beganMs + atMs));
          frame = index;
        }
        return matrix;
      },
    ],
    [
      '/air',
      () => {
        const { celsius, relativeHumidity } = gate.describeRoom(Date.now() - beganMs);
        return JSON.stringify({ t: toHundredths(celsius), rh: toHundredths(relativeHumidity * 100) });
      },
    ],
  ]);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const answer = request.method === 'GET' ? answers.get(request.url ?? '') : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(answer());
  });
  server.listen(port, host);
  await once(server, 'listening').catch((cause: unknown) => {
    const text = `Cannot listen on ${host}:${port} for the thermal camera: ${errorMessage(cause)}`;
    throw new NgatuError('PORT_TAKEN', text, { cause });
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function toMatrix({ width, height, celsius }: SimulatedThermalFrame, atMs: number): TemperatureMatrix {
  return {
    schemaVersion: 1,
    capturedAt: new Date(atMs).toISOString(),
    unit: 'Cel',
    width,
    height,
    values: Array.from(celsius, toHundredths),
  };
}
