import type { Command } from 'commander';

/** A file of one command. It is loaded only where the command is used, and with it what the command stands on. */
export interface CommandModule {
  buildCommand(): Command;
}

interface CommandEntry {
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** Every command with the line that `ngatu --help` shows of it. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  start: {
    summary: 'start everything on this machine: camera simulator, edge agent, broker, centre and console',
    load: () => import('./start-command.ts'),
  },
  edge: { summary: 'run the edge agent of one gateway', load: () => import('./edge-command.ts') },
  pictures: {
    summary: 'make the blurred pictures of an agent; started by it',
    load: () => import('./pictures-command.ts'),
  },
  cloud: { summary: 'run a part of the centre: ingestor or api', load: () => import('./cloud-command.ts') },
  camera: { summary: 'serve video files as live RTSP cameras', load: () => import('./camera-command.ts') },
  models: {
    summary: 'list, show and check the models of the registry and your own',
    load: () => import('./models-command.ts'),
  },
  replay: {
    summary: 'run the pipeline on a video file',
    load: () => import('./replay-command.ts'),
  },
  scene: {
    summary: 'propose a scene for a new camera, and draw a scene over its picture',
    load: () => import('./scene-command.ts'),
  },
  calibrate: {
    summary: 'lay the picture of a camera on the road, and say what error of a speed to expect',
    load: () => import('./calibrate-command.ts'),
  },
  eval: {
    summary: 'measure quality on data with truth',
    load: () => import('./eval-command.ts'),
  },
  quality: {
    summary: 'run every evaluation and write the figures into docs/quality.md',
    load: () => import('./quality-command.ts'),
  },
  sensor: {
    summary: 'read every sensor of a gateway profile once, and say what can be believed',
    load: () => import('./sensor-command.ts'),
  },
  thermal: {
    summary: 'print the temperatures of a thermal file and the face in it',
    load: () => import('./thermal-command.ts'),
  },
  simulate: {
    summary: 'simulate streets and sensors with exact truth, and measure how the product does on them',
    load: () => import('./simulate-command.ts'),
  },
  bench: {
    summary: 'measure what the agent costs over its parts',
    load: () => import('./bench-command.ts'),
  },
  faults: {
    summary:
      'do to a live run what can go wrong (kills, disks, lines, files, clocks, cameras), and check that nothing is lost or told twice',
    load: () => import('./faults-command.ts'),
  },
  fuzz: {
    summary: 'give every parser that meets untrusted input hostile bytes, and see that it answers each',
    load: () => import('./fuzz-command.ts'),
  },
  soak: {
    summary: 'run everything for a while, and measure whether the memory of the agent grows',
    load: () => import('./soak-command.ts'),
  },
  assets: {
    summary: 'list, fetch and verify model weights and sample videos',
    load: () => import('./assets-command.ts'),
  },
  export: {
    summary: 'write the signed archive of cases',
    load: () => import('./export-command.ts'),
  },
  verify: {
    summary: 'prove a signed archive of cases, without network and database',
    load: () => import('./verify-command.ts'),
  },
  'verify-page': {
    summary: 'write the page that proves such archives in a browser',
    load: () => import('./verify-page-command.ts'),
  },
  ca: {
    summary: 'keep the certificate authority of the province, and the identities that it issues',
    load: () => import('./ca-command.ts'),
  },
  privacy: {
    summary: 'delete by policy, write notices, answer persons who ask about their data',
    load: () => import('./privacy-command.ts'),
  },
  audit: {
    summary: 'read and prove the audit trail of a centre',
    load: () => import('./audit-command.ts'),
  },
  account: {
    summary: 'add, list, change, disable and unlock accounts of the console, and set its areas',
    load: () => import('./account-command.ts'),
  },
};
