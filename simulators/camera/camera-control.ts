import type { IncomingMessage, ServerResponse } from 'node:http';
import { openHttpService } from '../http/http-service.ts';
import type { SimulatedCamera } from './camera-simulator.ts';
import type { Clip } from './clip.ts';

export interface CameraControlOptions {
  readonly camera: SimulatedCamera;
  /** Clips that `show` may name. */
  readonly variants: ReadonlyMap<string, Clip>;
  /** Port of 127.0.0.1. */
  readonly port: number;
}

/**
 * Lets another process tell a simulated camera to misbehave: `POST /freeze`, `/resume`, `/garbage/payload`, `/garbage/framing`,
 * `/show/VARIANT` and `/show` (its own clip again). Answers 204, or 404 for anything else. On 127.0.0.1 only: who can reach it can
 * blind the camera.
 */
export async function openCameraControl(
  options: CameraControlOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { camera, variants } = options;
  const actions = new Map<string, () => void>([
    ['/freeze', () => camera.freeze()],
    ['/resume', () => camera.resume()],
    ['/garbage/payload', () => camera.sendGarbage({ kind: 'payload', accessUnits: 50 })],
    ['/garbage/framing', () => camera.sendGarbage({ kind: 'framing' })],
    ['/show', () => camera.show(undefined)],
    ...[...variants].map(([name, clip]) => [`/show/${name}`, () => camera.show(clip)] as const),
  ]);
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const action = request.method === 'POST' ? actions.get(request.url ?? '') : undefined;
    action?.();
    response.writeHead(action === undefined ? 404 : 204).end();
  };
  return openHttpService(listener, { host: '127.0.0.1', port: options.port });
}
