#!/usr/bin/env node
// Runs the built command line; where the sources lie beside it, it is brought up to date first.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = join(root, 'dist', 'ngatu.mjs');
const builder = join(root, 'scripts', 'build.mjs');

process.setSourceMapsEnabled(true);
if (existsSync(builder) && existsSync(join(root, 'cli', 'src', 'main.ts'))) {
  const { ensureBuild } = await import(pathToFileURL(builder).href);
  const needsConsole = process.argv[2] === 'start' || process.argv[2] === 'cloud';
  await ensureBuild({ parts: needsConsole ? ['program', 'console'] : ['program'] });
}
process.argv[1] = program;
await import(pathToFileURL(program).href);
