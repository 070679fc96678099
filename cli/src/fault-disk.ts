import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FaultDisk } from '@ngatu/benchmarks';
import { errorMessage } from '@ngatu/contract';

const BALLAST = '.ballast';
const BLOCK = Buffer.alloc(4_096, 1);

/** A small ext4 file system in an image file, mounted on a folder. It can be filled without hurting the machine. */
export class LoopDisk implements FaultDisk, Disposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** The disk, or why there is none: it takes root and loop devices. */
  static mount(folder: string, options: { sizeBytes: number }): LoopDisk | { readonly missing: string } {
    const image = `${folder}.img`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(image, '');
      truncateSync(image, options.sizeBytes);
      // No blocks are kept back for root, who would go on writing on a full disk.
      run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
      run('mount', ['-o', 'loop', image, folder]);
      return new LoopDisk(folder);
    } catch (error) {
      rmSync(image, { force: true });
      return { missing: `no loop disk can be mounted here: ${errorMessage(error).split('\n')[0]}` };
    }
  }

  /** Leaves not one block. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const path = join(this.folder, BALLAST);
    for (let size = bavail * bsize; size > BLOCK.length; size = Math.floor(size * 0.98)) {
      try {
        run('fallocate', ['-l', String(size), path]);
        break;
      } catch {
        // The file system needs some of it for itself.
      }
    }
    const file = openSync(path, 'a');
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  /** The image stays beside the folder, for who wants to look into it; it goes with the data folder. */
  [Symbol.dispose](): void {
    this.free();
    try {
      run('umount', [this.folder]);
    } catch {
      // Somebody still has a file open there: it goes with the last of them.
      run('umount', ['-l', this.folder]);
    }
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
}
