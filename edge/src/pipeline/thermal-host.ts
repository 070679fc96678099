import { errorMessage, NgatuError } from '@ngatu/contract';
import { judgeFrame } from '../thermal/passage.ts';
import { readMatrix } from '../thermal/temperature-matrix.ts';
import type { ThermalReply, ThermalRequest } from './thermal-channel.ts';

/** The part of a thread's port that it needs. */
export interface ThermalPort {
  on(event: 'message', listener: (request: ThermalRequest) => void): unknown;
  postMessage(reply: ThermalReply, transfer?: readonly ArrayBuffer[]): void;
}

/** What the thread of a fever gate does: reads matrices and judges pictures, one after the other, as long as its port is open. */
export function serveThermalPort(port: ThermalPort): void {
  port.on('message', (request) => {
    const { id } = request;
    try {
      if (request.type === 'judge') {
        const judgement = judgeFrame(request.frame, request.view);
        port.postMessage({ type: 'judged', id, judgement });
        return;
      }
      const frame = readMatrix(request.bytes, request.form);
      const { buffer } = frame.celsius;
      port.postMessage({ type: 'read', id, frame }, buffer instanceof ArrayBuffer ? [buffer] : []);
    } catch (error) {
      const code = error instanceof NgatuError ? error.code : 'INTERNAL';
      port.postMessage({ type: 'failed', id, code, message: errorMessage(error) });
    }
  });
}
