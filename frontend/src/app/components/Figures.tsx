import { useState } from "react";
import { isOver, type TextStream } from "../../client";
import { useStreamValue } from "../../react";
import { useApp } from "../context";
import { useDescription, useFigures } from "../hooks";
import { useTag, useWords } from "../i18n";
import { laterChart, useLater } from "../later";
import { durations } from "../model/durations";

/** How the stream arrives: figures, live, and a chart of the gaps for who opens it. */
export function Figures({ stream }: { stream: TextStream }) {
  const words = useWords();
  const tag = useTag();
  const { client } = useApp();
  const [open, setOpen] = useState(false);
  const stats = useFigures(stream);
  const resumes = useStreamValue(stream, (now) => now.resumes) ?? 0;
  const id = useStreamValue(stream, (now) => now.id);
  const state = useStreamValue(stream, (now) => now.state);
  const active = !isOver(state);
  const { described } = useDescription(client, id, active);
  const unit = stream.info?.unit ?? "char";
  const duration = durations(words, tag);
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const perSecond = new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 });
  const rate = stats?.unitsPerSecond;
  const figures: [string, string, string][] = [
    ["first", words.first, duration(stats?.timeToFirst)],
    ["speed", words.perSecondName[unit], rate === undefined ? "–" : perSecond.format(rate)],
    ["p50", words.gapP50, duration(stats?.gapP50)],
    ["p99", words.gapP99, duration(stats?.gapP99)],
    ["resumes", words.resumes, whole.format(resumes)],
    ["count", words.received[unit], whole.format(stats?.units ?? 0)],
  ];
  return (
    <div className="figures">
      <dl aria-label={words.figures}>
        {figures.map(([key, name, value]) => (
          <div key={key} data-figure={key}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details
        onToggle={(event) => {
          setOpen(event.currentTarget.open);
        }}
      >
        <summary>{words.chart}</summary>
        {open && <Chart stream={stream} />}
      </details>
      {described && active && <p className="viewers note">{words.viewers(described.readers)}</p>}
    </div>
  );
}

function Chart({ stream }: { stream: TextStream }) {
  const words = useWords();
  const { part, failed } = useLater(laterChart);
  if (part) return <part.GapChart stream={stream} />;
  return failed && <p role="status">{words.notLoaded}</p>;
}
