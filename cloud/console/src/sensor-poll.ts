import { useEffect, useState } from 'preact/hooks';
import type { ApiFailure } from './api-client.ts';
import { askRepeatedly } from './repeated-asking.ts';
import { fetchFindings, type SensorFinding } from './sensor-finding.ts';
import {
  fetchCourse,
  fetchSensors,
  type ListedReading,
  listQuantities,
  nameSensor,
  type SensorCourse,
  type SensorPeriod,
} from './sensor-series.ts';

/** What the sensors of all nodes said last, at the centre's `now`. */
interface ListedSensors {
  readonly now: string;
  readonly sensors: readonly ListedReading[];
}

export interface SensorPoll {
  readonly list?: ListedSensors;
  readonly courses: ReadonlyMap<string, SensorCourse>;
  /** What was unusual in the period, of all sensors. */
  readonly findings: readonly SensorFinding[];
  readonly failure?: ApiFailure;
}

/** Courses that are asked for at once: the API takes its time for each. */
const AT_ONCE = 4;
/** So many sensors get a line in the list; the chart draws any of them. */
const COURSES_MAX = 60;

/** Asks for all sensors and their courses of the last `periodMs`, now and then every `everyMs`. */
export function useSensorPoll(request: {
  periodMs: number;
  stepMs: number;
  everyMs: number;
  includeBad: boolean;
  /** Whose lowest and highest readings are asked for as well; the first sensor where it is absent. */
  chosen: string | undefined;
  onEnded: () => void;
}): SensorPoll {
  const { periodMs, stepMs, everyMs, includeBad, chosen, onEnded } = request;
  const [poll, setPoll] = useState<SensorPoll>({ courses: new Map(), findings: [] });
  useEffect(() => {
    const ask = async (signal: AbortSignal) => {
      const { now, sensors } = await fetchSensors(signal);
      const list = { now, sensors: listQuantities(sensors) };
      setPoll(({ courses, findings }) => ({ list, courses, findings }));
      const toMs = (Math.floor(Date.now() / stepMs) + 1) * stepMs;
      const period = { fromMs: toMs - periodMs, toMs, stepMs, includeBad };
      const whole = chosen ?? list.sensors.map(nameSensor)[0];
      const findings = await fetchFindings(period, signal);
      const courses = await fetchCourses(list, { ...period, whole }, signal);
      setPoll({ list, courses, findings });
    };
    return askRepeatedly(ask, {
      everyMs,
      onEnded,
      onFailure: (failure) => setPoll((before) => ({ ...before, failure })),
    });
  }, [periodMs, stepMs, everyMs, includeBad, chosen, onEnded]);
  return poll;
}

async function fetchCourses(
  { sensors }: ListedSensors,
  period: SensorPeriod & { readonly includeBad: boolean; readonly whole: string | undefined },
  signal: AbortSignal,
): Promise<Map<string, SensorCourse>> {
  const courses = new Map<string, SensorCourse>();
  const isWhole = (reading: ListedReading): boolean => nameSensor(reading) === period.whole;
  const wanted = sensors.filter((reading, place) => place < COURSES_MAX || isWhole(reading));
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const some = wanted.slice(from, from + AT_ONCE);
    const found = await Promise.all(
      some.map((reading) => fetchCourse(reading, { ...period, isWhole: isWhole(reading) }, signal)),
    );
    for (const [index, course] of found.entries()) {
      const reading = some[index];
      if (reading !== undefined) courses.set(nameSensor(reading), course);
    }
  }
  return courses;
}
