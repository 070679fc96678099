import type { CongestionControlName } from './congestion-control.ts';
import { EmulatedLink, type LinkConditions } from './emulated-link.ts';
import { EventSchedule } from './event-schedule.ts';
import { TcpFlow } from './tcp-flow.ts';

const CHUNK = Buffer.alloc(64 * 1024);

export interface TransferRun {
  /** Payload that arrived in order, bits a second, of each flow. */
  readonly bitsPerSecond: readonly number[];
  readonly link: EmulatedLink;
  readonly flows: readonly TcpFlow[];
}

/** Flows that always have something to send, in virtual time; the first tenth is not counted. */
export function runTransfer(options: {
  conditions: LinkConditions;
  congestionControl: CongestionControlName;
  flows: number;
  seconds: number;
  seed: number;
}): TransferRun {
  const { conditions, congestionControl, seconds, seed } = options;
  const schedule = new EventSchedule();
  const link = new EmulatedLink({ schedule, conditions, seed });
  const flows = Array.from({ length: options.flows }, () => {
    const fill = (): void => {
      while (flow.unsentBytes < 512 * 1024) flow.write(CHUNK);
    };
    const flow: TcpFlow = new TcpFlow({
      schedule,
      forward: link.up,
      backward: link.down,
      congestion: link.createCongestionControl(congestionControl),
      deliver: () => undefined,
      onProgress: () => fill(),
    });
    fill();
    return flow;
  });
  schedule.runUntil(seconds * 100);
  const before = flows.map(({ statistics }) => statistics.deliveredBytes);
  schedule.runUntil(seconds * 1_000);
  const bitsPerSecond = flows.map(
    ({ statistics }, index) => ((statistics.deliveredBytes - (before[index] ?? 0)) * 8) / (seconds * 0.9),
  );
  return { bitsPerSecond, link, flows };
}
