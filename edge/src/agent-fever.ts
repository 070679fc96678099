import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Measurement, NgatuError } from '@ngatu/contract';
import { type EyeModel, GateEyes } from './pipeline/gate-eyes.ts';
import { type FeverGateConfig, GateWorker, type GateWorkerOptions } from './pipeline/gate-worker.ts';
import { ThermalThread } from './pipeline/thermal-thread.ts';
import { RoomReadings } from './thermal/room-reading.ts';

export type { EyeModel, FeverGateConfig };

export interface AgentFeverOptions extends Omit<GateWorkerOptions, 'rooms' | 'folder' | 'eyes' | 'thread'> {
  readonly gates: readonly FeverGateConfig[];
  /** What finds the eyes in the pictures of visible cameras beside the gates. */
  readonly eyeModel?: EyeModel | undefined;
  readonly stateDir: string;
  /** Path of the built `thermal-program.ts`: each gate starts a thread of it. */
  readonly thermalProgram: string;
}

/** The fever gates of an agent. A gate that fails keeps trying, and leaves the rest of the agent alone. */
export class AgentFever {
  readonly #options: AgentFeverOptions;
  readonly #rooms = new RoomReadings();

  constructor(options: AgentFeverOptions) {
    this.#options = options;
  }

  /** Takes what sensors measured: the room of a gate is among it. */
  noteSensors(figures: readonly Measurement[]): void {
    this.#rooms.note(figures);
  }

  /** Screens until `signal` aborts; what was learned and found until then is on disk when it resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { gates, stateDir, thermalProgram } = this.#options;
    if (gates.length === 0) return;
    const folder = join(stateDir, 'fever');
    await mkdir(folder, { recursive: true });
    await Promise.all(
      gates.map(async (config) => {
        await using thread = new ThermalThread({ module: thermalProgram });
        // whoever stops does not wait for a picture
        signal.addEventListener('abort', () => void thread[Symbol.asyncDispose](), { once: true });
        const worker = await GateWorker.open(config, {
          ...this.#options,
          ...{ rooms: this.#rooms, folder, eyes: this.#openEyes(config), thread },
        });
        await worker.run(signal);
      }),
    );
  }

  #openEyes({ name, visible }: FeverGateConfig): GateEyes | undefined {
    if (visible === undefined) return undefined;
    const { eyeModel, clock, random } = this.#options;
    const logger = this.#options.logger.child({ gate: name });
    try {
      return new GateEyes({ visible, model: eyeModel, clock, random, logger });
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      logger.error({ code: error.code }, `the visible camera is not watched: ${error.message}`);
      return undefined;
    }
  }
}
