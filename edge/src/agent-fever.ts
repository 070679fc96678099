import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Measurement } from '@ngatu/contract';
import { type FeverGateConfig, GateWorker, type GateWorkerOptions } from './pipeline/gate-worker.ts';
import { RoomReadings } from './thermal/room-reading.ts';

export type { FeverGateConfig };

export interface AgentFeverOptions extends Omit<GateWorkerOptions, 'rooms' | 'folder'> {
  readonly gates: readonly FeverGateConfig[];
  readonly stateDir: string;
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
    const { gates, stateDir } = this.#options;
    if (gates.length === 0) return;
    const folder = join(stateDir, 'fever');
    await mkdir(folder, { recursive: true });
    await Promise.all(
      gates.map(async (config) => {
        const worker = await GateWorker.open(config, { ...this.#options, rooms: this.#rooms, folder });
        await worker.run(signal);
      }),
    );
  }
}
