import type { FrameJudgement, FrameView } from '../thermal/passage.ts';
import type { MatrixForm } from '../thermal/temperature-matrix.ts';
import type { ThermalFrame } from '../thermal/thermal-frame.ts';

/** Gate → its thread. */
export type ThermalRequest =
  | { readonly type: 'read'; readonly id: number; readonly form: MatrixForm; readonly bytes: Uint8Array }
  | { readonly type: 'judge'; readonly id: number; readonly frame: ThermalFrame; readonly view: FrameView };

/** Thread → its gate. */
export type ThermalReply =
  | { readonly type: 'read'; readonly id: number; readonly frame: ThermalFrame }
  | { readonly type: 'judged'; readonly id: number; readonly judgement: FrameJudgement }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string };
