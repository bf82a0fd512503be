import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { TextStream } from "../../client";
import { useFigures } from "../hooks";
import { useTag, useWords } from "../i18n";
import { durations } from "../model/durations";
import { gapPoints } from "../model/gaps";

const HEIGHT = 120;

/** Each gap stands for itself, at the time of its end: a line between two would be none of them. */
const spikes = uPlot.paths.bars?.({ size: [1, 3, 1.5] });

/** The time between two arrivals, over the time. Loaded when it is opened. */
export function GapChart({ stream }: { stream: TextStream }) {
  const words = useWords();
  const tag = useTag();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const stats = useFigures(stream);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const made = new uPlot(
      options(element, durations(words, tag)),
      gapPoints(stream.stats.gaps()),
      element,
    );
    chart.current = made;
    const sizes = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
    };
  }, [stream, words, tag]);
  useEffect(() => {
    chart.current?.setData(gapPoints(stream.stats.gaps()));
  }, [stream, stats]);
  const duration = durations(words, tag);
  const count = stats ? stream.stats.gaps().length : 0;
  const summary =
    count === 0
      ? words.chartEmpty
      : words.chartSummary(
          count.toLocaleString(tag),
          duration(stats?.gapP50),
          duration(stats?.gapP99),
        );
  return (
    <figure className="chart">
      <div ref={place} role="img" aria-label={summary} />
      <figcaption className="note">{summary}</figcaption>
    </figure>
  );
}

function options(element: HTMLElement, duration: (ms: number) => string): uPlot.Options {
  // A canvas knows no custom properties: the style sheet puts the colours where they can be read,
  // and they are asked for whenever it is drawn.
  const color = (property: "color" | "borderTopColor" | "textDecorationColor") => () =>
    getComputedStyle(element)[property];
  const axis = { stroke: color("color"), grid: { stroke: color("borderTopColor"), width: 1 } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_chart, _low, high) => [0, Math.max(1, high)] } },
    axes: [
      { ...axis, size: 24, values: (_chart, ticks) => ticks.map((tick) => duration(1000 * tick)) },
      { ...axis, size: 64, values: (_chart, ticks) => ticks.map(duration) },
    ],
    series: [
      {},
      {
        points: { show: false },
        stroke: color("textDecorationColor"),
        fill: color("textDecorationColor"),
        ...(spikes ? { paths: spikes } : {}),
      },
    ],
  };
}
