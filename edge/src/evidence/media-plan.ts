import { writeFile } from 'node:fs/promises';
import { runMediaCommand } from './media-command.ts';
import { buildConcatInput, buildConcatList, type RingSegment } from './recording.ts';

/** What ffmpeg makes from neighbouring segments; they are decoded once for all outputs. */
export interface MediaPlan {
  /** Is written with the list of the segments. */
  readonly listFile: string;
  readonly segments: readonly RingSegment[];
  /** Of each output its options, its name last. */
  readonly outputs: readonly (readonly string[])[];
}

/**
 * Makes all outputs in one process: its start costs as much as the work.
 * @throws NgatuError VIDEO_UNREADABLE, DISK_FULL, SETUP_PACKAGE_MISSING
 */
export async function runMediaPlans(
  plans: readonly MediaPlan[],
  options: { readonly purpose: string; readonly signal: AbortSignal },
): Promise<void> {
  await Promise.all(plans.map(({ listFile, segments }) => writeFile(listFile, buildConcatList(segments))));
  const inputs = plans.flatMap(({ listFile }) => ['-threads', '1', ...buildConcatInput(listFile)]);
  const outputs = plans.flatMap((plan, index) =>
    plan.outputs.flatMap((output) => ['-map', `${index}:V:0`, ...output]),
  );
  const args = ['-y', '-nostdin', '-v', 'error', '-copyts', '-copytb', '1', ...inputs, ...outputs];
  await runMediaCommand('ffmpeg', args, options);
}
