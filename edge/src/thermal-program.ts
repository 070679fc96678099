import { parentPort } from 'node:worker_threads';
import { serveThermalPort } from './pipeline/thermal-host.ts';

/*
 * The program of the thread that each fever gate starts (`ThermalThread`). It is built into a file of its own, so that such a thread loads
 * neither the models nor the databases of the agent.
 */
if (parentPort === null) throw new RangeError('this program is started by a fever gate, as a thread');
serveThermalPort(parentPort);
