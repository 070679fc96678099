import { join } from 'node:path';
import type { ScreeningResult } from '@ngatu/contract';
import { DEFAULT_BAND_K, FeverGate } from '@ngatu/edge';
import { loadProfile } from '@ngatu/firmware-config';
import { type GateVisit, SimulatedGate } from '@ngatu/simulators';
import { beforeAll, describe, expect, it } from 'vitest';

const PROFILES = join(import.meta.dirname, '..', 'firmware-config', 'profiles');
const PLAN = { seed: 1, sensor: 'small', feverShare: 0.1, mistakeShare: 0.4, framesPerSecond: 4 } as const;
const VISITS = 15;
const MAX_ERROR_C = 0.3;
const DAY_MS = 86_400_000;

describe('people before the gate of the demonstration', () => {
  const visits: GateVisit[] = [];
  const results: { readonly atMs: number; readonly result: ScreeningResult }[] = [];

  beforeAll(async () => {
    const { profile } = await loadProfile(join(PROFILES, 'demo-hanoi.yaml'));
    const [config] = profile.feverGates;
    if (config === undefined) throw new Error('the profile has no gate');
    const camera = new SimulatedGate(PLAN, (visit) => visits.push(visit));
    const { setC, emissivity, toleranceC, accuracyC, ...region } = config.blackbody;
    const gate = new FeverGate({
      gate: config.name,
      optics: {
        blackbody: { region, setC, emissivity, toleranceC, accuracyC },
        distanceM: config.distanceM,
        minFaceWidthPx: config.minFaceWidthPx,
        uniformityC: config.uniformityC,
        band: DEFAULT_BAND_K,
      },
      poweredOnMs: -DAY_MS,
      checkedMs: 0,
    });
    for (let atMs = 0; visits.length < VISITS; atMs += 250) {
      const { celsius, relativeHumidity } = camera.describeRoom(atMs);
      const ambient = { celsius, relativeHumidity, atMs };
      const { result } = gate.observe(camera.takePicture(atMs), atMs, { ambient });
      if (result !== undefined) results.push({ atMs, result });
    }
  }, 240_000);

  const resultsOf = ({ fromMs, toMs }: GateVisit) =>
    results.filter(({ atMs }) => atMs >= fromMs && atMs < toMs + 1_000).map(({ result }) => result);

  it('are each told one thing', () => {
    expect(visits.map((visit) => resultsOf(visit).length)).toEqual(visits.map(() => 1));
  });

  it('are read to 0.3 °C where they put right what was wrong, and else not at all', () => {
    expect(visits.some(({ isCorrected }) => !isCorrected)).toBe(true);
    expect(visits.some(({ isCorrected, mistake }) => isCorrected && mistake !== undefined)).toBe(true);
    for (const visit of visits) {
      const [result] = resultsOf(visit);
      if (visit.isCorrected) {
        expect(Math.abs((result?.skinC ?? 0) - visit.canthusC), JSON.stringify(visit)).toBeLessThanOrEqual(
          MAX_ERROR_C,
        );
      } else {
        expect(result?.outcome, JSON.stringify(visit)).toBe('refused');
      }
    }
  });
});

describe('the profiles of the demonstration', () => {
  it.each(['demo-hanoi.yaml', 'demo-car-detection.yaml', 'demo-vtest.yaml'])(
    '%s knows where the blackbody of the simulator stands',
    async (name) => {
      const { profile } = await loadProfile(join(PROFILES, name));
      expect(profile.feverGates).toMatchObject([
        { blackbody: new SimulatedGate({ ...PLAN, feverShare: 0.03, mistakeShare: 0.2 }).blackbody },
      ]);
    },
  );
});
