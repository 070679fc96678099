import type { DeviceTls, ReadingFault, SensorProfile, SensorReading, SensorSource } from '@ngatu/contract';

/** A broker of devices with its secret. */
export interface DeviceBroker {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Certificates of an `mqtts://` broker. */
  readonly tls?: DeviceTls;
}

type MqttSource = Extract<SensorSource, { kind: 'mqtt' }>;
type HttpSource = Extract<SensorSource, { kind: 'http' }>;

/** A sensor of the profile with its template applied and its secrets resolved. */
export interface SensorConfig extends Omit<SensorProfile, 'source' | 'template' | 'readings'> {
  readonly source:
    | Exclude<SensorSource, MqttSource | HttpSource>
    | (Omit<MqttSource, 'broker'> & { readonly broker: DeviceBroker })
    | (Omit<HttpSource, 'token'> & { readonly token?: string });
  readonly readings: readonly SensorReading[];
}

/** What one reading of one quantity gave: a raw number as the device keeps it, or why there is none. */
export type Sample =
  | { readonly raw: number; readonly deviceAtMs?: number }
  | { readonly fault: ReadingFault; readonly reason: string };

/** Takes the samples of one quantity as they come. */
export interface SampleSink {
  take(sample: Sample): void;
}

/** Instants of the wall, ms since 1970, and of a clock that never jumps, ms. */
export interface SensorClock {
  nowMs(): number;
  monotonicMs(): number;
}
