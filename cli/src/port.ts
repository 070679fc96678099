import { createServer } from 'node:net';
import { NgatuError, systemCodeOf } from '@ngatu/contract';

/** Below the range from which the kernel takes the ports of outgoing connections: none of those can take one of ours. */
const RANGE = { first: 20_000, last: 32_000 };
const ATTEMPTS = 100;

/** The system's code of why nobody can listen on the port of 127.0.0.1 now; absent where it is free. */
function findObstacle(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === undefined) reject(error);
      else resolve(code);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * Makes sure that a port that was asked for is free.
 * @throws NgatuError PORT_TAKEN, PERMISSION_DENIED
 */
export async function checkPort(port: number, what: string): Promise<number> {
  const obstacle = await findObstacle(port);
  if (obstacle === undefined) return port;
  if (obstacle === 'EACCES') {
    throw new NgatuError(
      'PERMISSION_DENIED',
      `Cannot use port ${port} for ${what}: this user may not listen on it`,
    );
  }
  throw new NgatuError(
    'PORT_TAKEN',
    `Cannot use port ${port} for ${what}: another process listens on it; choose another with --port`,
  );
}

/** Free ports of 127.0.0.1, all different, that stay free for whoever restarts on them. */
export async function chooseFreePorts(count: number, random: () => number = Math.random): Promise<number[]> {
  const chosen = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && chosen.size < count; attempt++) {
    const port = RANGE.first + Math.floor(random() * (RANGE.last - RANGE.first));
    if ((await findObstacle(port)) === undefined) chosen.add(port);
  }
  if (chosen.size < count) throw new NgatuError('PORT_TAKEN', `Cannot find ${count} free ports on 127.0.0.1`);
  return [...chosen];
}
