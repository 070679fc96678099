import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorMessage, NgatuError, type TemperatureMatrix } from '@ngatu/contract';
import { openHttpService } from '../http/http-service.ts';
import type { SimulatedGate } from './simulated-gate.ts';
import type { SimulatedThermalFrame } from './thermal-scene.ts';

export interface GateServerOptions {
  readonly gate: SimulatedGate;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** When the gate's time begins, ms since 1970. */
  readonly beganMs: number;
}

const toHundredths = (value: number): number => Math.round(value * 100) / 100;

/**
 * Serves a simulated thermal camera as a gate asks for one: `GET /matrix` the picture of this instant as a `TemperatureMatrix`, `GET /air`
 * the room as `{"t", "rh"}`, °C and per cent. Pictures are made as they are asked for, one for each frame time.
 * @throws NgatuError PORT_TAKEN
 */
export async function startGateServer({
  gate,
  host,
  port,
  beganMs,
}: GateServerOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const { framesPerSecond } = gate;
  let frame = -1;
  let matrix = '';
  const tellMatrix = (): string => {
    const index = Math.floor(((Date.now() - beganMs) * framesPerSecond) / 1_000);
    if (index > frame) {
      const atMs = (index * 1_000) / framesPerSecond;
      matrix = JSON.stringify(toMatrix(gate.takePicture(atMs), beganMs + atMs));
      frame = index;
    }
    return matrix;
  };
  const tellAir = (): string => {
    const { celsius, relativeHumidity } = gate.describeRoom(Date.now() - beganMs);
    return JSON.stringify({ t: toHundredths(celsius), rh: toHundredths(relativeHumidity * 100) });
  };
  const answers = new Map([
    ['/matrix', tellMatrix],
    ['/air', tellAir],
  ]);
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const answer = request.method === 'GET' ? answers.get(request.url ?? '') : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(answer());
  };
  return openHttpService(listener, { host, port }).catch((cause: unknown) => {
    const text = `Cannot listen on ${host}:${port} for the thermal camera: ${errorMessage(cause)}`;
    throw new NgatuError('PORT_TAKEN', text, { cause });
  });
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
