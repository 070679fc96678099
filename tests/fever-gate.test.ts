import { findSchemaIssues, ScreeningResult, ThermometerReading } from '@ngatu/contract';
import { DEFAULT_BAND_K, FeverGate, type GateMoment, type ThermalFrame } from '@ngatu/edge';
import { type PlannedScene, planScene, takeThermalPictures } from '@ngatu/simulators';
import { beforeAll, describe, expect, it } from 'vitest';

const BEGIN_MS = Date.UTC(2026, 0, 5, 8);
const PASSAGE_MS = 20_000;
const LEARNING = 12;

/** A gate that sees one scene after the other, with nobody in between. */
class Rig {
  readonly gate: FeverGate;
  #atMs = BEGIN_MS;
  #drawn = 0;

  constructor(
    readonly empty: readonly ThermalFrame[],
    { blackbody }: PlannedScene,
  ) {
    this.gate = new FeverGate({
      gate: 'gate-1',
      optics: {
        blackbody: {
          region: blackbody,
          setC: blackbody.setC,
          emissivity: 0.98,
          toleranceC: 2,
          accuracyC: 0.1,
        },
        distanceM: 1,
        minFaceWidthPx: 90,
        uniformityC: 0.15,
        band: DEFAULT_BAND_K,
      },
      poweredOnMs: BEGIN_MS - 3_600_000,
      checkedMs: BEGIN_MS - 60_000,
      site: { windowReadings: 100, minReadings: LEARNING },
      drawScreeningId: () => `sc-${String(this.#drawn++).padStart(16, '0')}`,
    });
  }

  show(frames: Iterable<ThermalFrame>): GateMoment[] {
    const moments: GateMoment[] = [];
    for (const frame of [...frames, ...this.empty]) {
      this.#atMs += 111;
      const ambient = { celsius: 22, relativeHumidity: 0.4, atMs: this.#atMs };
      moments.push(this.gate.observe(frame, this.#atMs, { ambient }));
    }
    this.#atMs += PASSAGE_MS;
    return moments;
  }
}

/** The same person and sensor, with another temperature. */
function warm(planned: PlannedScene, byC: number): ThermalFrame[] {
  const [person] = planned.scene.people;
  if (person === undefined) throw new Error('nobody in the scene');
  const face = { ...person.face, canthusC: person.face.canthusC + byC };
  return [...takeThermalPictures({ ...planned.scene, people: [{ ...person, face }] })];
}

describe('a gate from the picture to the counts', () => {
  let planned: PlannedScene;
  let rig: Rig;

  beforeAll(() => {
    planned = planScene(21, 'protocol', 'small');
    const nobody = [...takeThermalPictures({ ...planned.scene, people: [], frames: 4 })];
    rig = new Rig(nobody, planned);
  });

  it('sends everybody to the thermometer until it knows its site, then lets the healthy pass', () => {
    const outcomes = Array.from({ length: LEARNING + 3 }, (_, i) => {
      const results = rig.show(warm(planned, ((i % 5) - 2) * 0.1)).flatMap(({ result }) => result ?? []);
      expect(results).toHaveLength(1);
      expect(findSchemaIssues(ScreeningResult, results[0])).toEqual([]);
      return results[0]?.outcome;
    });
    expect(outcomes).toEqual([...Array(LEARNING).fill('measure'), 'pass', 'pass', 'pass']);
  });

  it('sends a person who reads 1.5 °C higher to the thermometer, and says so until the person has left', () => {
    const moments = rig.show(warm(planned, 1.5));
    const at = moments.findIndex(({ result }) => result !== undefined);
    expect(moments[at]).toMatchObject({
      state: 'measure',
      cue: { colour: 'amber' },
      result: { outcome: 'measure' },
    });
    expect(moments[at + 1]).toMatchObject({ state: 'measure' });
    expect(moments.at(-1)).toMatchObject({ state: 'idle' });
    expect(JSON.stringify(moments[at]?.result)).not.toMatch(/image|picture|name|face_/);
  });

  it('takes the confirmed readings of staff into sensitivity and specificity', () => {
    const reading = (passage: number, celsius: number) => {
      const value: ThermometerReading = {
        schemaVersion: 1,
        screeningId: `sc-${String(passage).padStart(16, '0')}`,
        at: new Date(BEGIN_MS + 600_000).toISOString(),
        celsius,
        place: 'oral',
      };
      expect(findSchemaIssues(ThermometerReading, value)).toEqual([]);
      return value;
    };
    rig.gate.confirm(reading(LEARNING + 3, 38.4));
    rig.gate.confirm(reading(LEARNING, 36.7));
    expect(() => rig.gate.confirm(reading(LEARNING, 36.7))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
    const aggregate = rig.gate.takeAggregate(BEGIN_MS + 3_600_000);
    expect(aggregate).toMatchObject({ passed: 3, measured: LEARNING + 1, learningFrozen: false });
    expect(aggregate.confirmed.sensitivity).toMatchObject({ hits: 1, total: 1 });
    expect(aggregate.confirmed.specificity).toMatchObject({ hits: 1, total: 1 });
  });

  it('knows how far its camera is off', () => {
    expect(Math.abs((rig.gate.drift?.offsetC ?? 9) - planned.scene.sensor.offsetC)).toBeLessThan(0.35);
  });
});
