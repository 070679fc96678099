import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateAnomalies, formatAnomalyTable, locateAssetFolders } from '@ngatu/models';
import { describe, expect, it } from 'vitest';

const folder = join(locateAssetFolders().localDir, 'datasets', 'nab-traffic');

describe.skipIf(!existsSync(join(folder, 'windows.json')))('anomalies on the traffic series of NAB', () => {
  it('score above the windowed Gaussian and plain limits, by either way to set a threshold', async () => {
    const evaluation = await evaluateAnomalies(folder, new AbortController().signal);
    const [learned, ...baselines] = evaluation.metrics;
    expect(learned).toMatchObject({ detector: 'learned', series: 5, rows: 12_037 });
    expect(baselines).toHaveLength(4);
    for (const { detector, chosen, optimized } of baselines) {
      expect(learned?.chosen.score, detector).toBeGreaterThan(chosen.score);
      expect(learned?.optimized.score, detector).toBeGreaterThan(optimized.score);
    }
    expect(learned?.chosen.windowsFound).toBe(7);
    expect(formatAnomalyTable(evaluation)).toContain('Thresholds optimised on these series');
  }, 300_000);
});
