import { withoutFaults } from '../../simulators/sensors/fault-injection.ts';
import { generateSeries } from '../../simulators/sensors/sensor-series.ts';
import { startSensorSimulator } from '../../simulators/sensors/sensor-simulator.ts';

/** The simulated street sensor as a process of its own; prints its port once it listens. */
const { port, metrics } = JSON.parse(process.argv[2] ?? '') as { port: number; metrics: string[] };
const simulator = await startSensorSimulator({
  series: metrics.map((metric) =>
    withoutFaults(generateSeries({ metric, seed: 1, intervalMs: 1_000, days: 0.05 })),
  ),
  host: '127.0.0.1',
  port,
  unit: 1,
  speed: 1,
  seed: 1,
  startMs: 0,
});
console.log(String(simulator.port));
