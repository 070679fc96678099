const WIDTH = 140;
const HEIGHT = 30;
const EDGE = 2;

/** The course of a sensor in a cell: a line that breaks where there are no readings. It says nothing to who cannot see it; the chart does. */
export function SensorSparkline({ values }: { values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <span class="hint">–</span>;
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const place = (value: number, index: number): string => {
    const x = EDGE + (index / Math.max(1, values.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT - EDGE - ((value - low) / span) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  let isDown = false;
  const path = values.map((value, index) => {
    const command = value === null ? '' : `${isDown ? 'L' : 'M'}${place(value, index)}`;
    isDown = value !== null;
    return command;
  });
  return (
    <svg
      class="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <path d={path.join('')} />
    </svg>
  );
}
