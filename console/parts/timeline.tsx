import { useSignal } from '@preact/signals';
import type { Burst } from '../state/audit.ts';
import type { Bucket } from '../state/buckets.ts';
import { type Kind, kinds } from '../state/kinds.ts';
import { count, DAY, day, moment } from '../state/words.ts';

/** A stretch of time, in milliseconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

const HEIGHT = 100;
const STEP = 10;
const STEPS = 1000;

/** What happened when, by kind; a stretch of it is chosen by dragging, or with the two sliders below. */
export function Timeline(props: {
  readonly buckets: readonly Bucket[];
  readonly whole: Stretch;
  readonly bursts: readonly Burst[];
  readonly hidden: ReadonlySet<Kind>;
  readonly chosen: Stretch | null;
  readonly onChoose: (chosen: Stretch | null) => void;
}) {
  const { buckets, whole, bursts, hidden, chosen, onChoose } = props;
  const width = buckets.length * STEP;
  const dragFrom = useSignal<number | null>(null);
  const shown = kinds.filter((kind) => !hidden.has(kind));
  const top = Math.max(1, ...buckets.map(({ counts }) => shown.reduce((sum, kind) => sum + counts[kind], 0)));
  const length = whole.to - whole.from;
  const x = (time: number) => ((time - whole.from) / length) * width;
  const timeAt = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return whole.from + share * length;
  };
  const choose = (a: number, b: number) => onChoose({ from: Math.min(a, b), to: Math.max(a, b) });
  return (
    <div class="timeline">
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${count(
          buckets.reduce((sum, { total }) => sum + total, 0),
          'entry',
          'entries',
        )} from ${moment(whole.from)} to ${moment(whole.to)}, ${count(bursts.length, 'burst')} of refusals`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          dragFrom.value = timeAt(event);
          onChoose(null);
        }}
        onPointerMove={(event) => {
          if (dragFrom.value !== null) choose(dragFrom.value, timeAt(event));
        }}
        onPointerUp={() => {
          dragFrom.value = null;
        }}
      >
        {buckets.map((bucket, index) => (
          <Bar key={bucket.from} bucket={bucket} shown={shown} top={top} x={index * STEP} />
        ))}
        {chosen !== null && (
          <>
            <rect class="shade" x={0} y={0} width={x(chosen.from)} height={HEIGHT} />
            <rect
              class="shade"
              x={x(chosen.to)}
              y={0}
              width={Math.max(0, width - x(chosen.to))}
              height={HEIGHT}
            />
          </>
        )}
      </svg>
      <div class="marks">
        {bursts.map((burst) => (
          <button
            key={`${burst.who} ${burst.from}`}
            type="button"
            class="mark"
            style={{ left: `${(x(burst.from) / width) * 100}%` }}
            aria-label={`${count(burst.entries.length, 'refusal')} of ${burst.who} at ${moment(burst.from)}`}
            title={`${burst.entries.length} refusals of ${burst.who}`}
            onClick={() => choose(burst.from - 1000, burst.to + 1000)}
          />
        ))}
      </div>
      <div class="scale">
        <Edge
          label="From"
          at={chosen?.from ?? whole.from}
          whole={whole}
          onMove={(time) => choose(time, chosen?.to ?? whole.to)}
        />
        <Edge
          label="To"
          at={chosen?.to ?? whole.to}
          whole={whole}
          onMove={(time) => choose(chosen?.from ?? whole.from, time)}
        />
      </div>
    </div>
  );
}

function Bar(props: {
  readonly bucket: Bucket;
  readonly shown: readonly Kind[];
  readonly top: number;
  readonly x: number;
}) {
  const { bucket, shown, top, x } = props;
  let below = HEIGHT;
  return (
    <g>
      {shown.map((kind) => {
        const number = bucket.counts[kind];
        if (number === 0) return null;
        // One refusal among a thousand resolves must be seen too.
        const height = Math.max((number / top) * HEIGHT, kind === 'refused' ? 5 : 1);
        below -= height;
        return (
          <rect key={kind} class={kind} x={x + 1} y={Math.max(0, below)} width={STEP - 2} height={height} />
        );
      })}
      <title>{`${moment(bucket.from)}: ${bucket.total}`}</title>
    </g>
  );
}

/** One end of the stretch, for the keyboard as well. */
function Edge(props: {
  readonly label: string;
  readonly at: number;
  readonly whole: Stretch;
  readonly onMove: (time: number) => void;
}) {
  const { label, at, whole, onMove } = props;
  const length = whole.to - whole.from;
  const words = length > 2 * DAY ? day(at) : moment(at);
  return (
    <label>
      <span>
        {label} <b>{words}</b>
      </span>
      <input
        type="range"
        min={0}
        max={STEPS}
        value={Math.round(((at - whole.from) / length) * STEPS)}
        aria-valuetext={moment(at)}
        onInput={(event) => onMove(whole.from + (event.currentTarget.valueAsNumber / STEPS) * length)}
      />
    </label>
  );
}
