import { useId } from "react";
import type { Rate } from "../../client";
import { useTag, useWords, type Words } from "../i18n";
import { rateAt, rateIndex, RATES } from "../model/rates";

interface SpeedProps {
  label: string;
  rate: Rate;
  onChange: (rate: Rate) => void;
}

/** The speed, from automatic over slow to no limit. */
export function Speed({ label, rate, onChange }: SpeedProps) {
  const words = useWords();
  const tag = useTag();
  const id = useId();
  const shown = rateWords(rate, words, tag);
  return (
    <span className="field speed">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={RATES.length - 1}
        step={1}
        value={rateIndex(rate)}
        aria-valuetext={shown}
        onChange={(event) => {
          onChange(rateAt(event.target.valueAsNumber));
        }}
      />
      <output htmlFor={id}>{shown}</output>
    </span>
  );
}

function rateWords(rate: Rate, words: Words, tag: string): string {
  if (rate === "auto") return words.automatic;
  return rate === 0 ? words.noLimit : words.perSecond(rate.toLocaleString(tag));
}
