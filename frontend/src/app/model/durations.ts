import type { Words } from "../i18n";

/** Returns what writes milliseconds for people: 0.4 ms, 12 ms, 1.2 s; a dash for none. */
export function durations(words: Words, tag: string): (ms: number | undefined) => string {
  const exact = new Intl.NumberFormat(tag, { maximumSignificantDigits: 2 });
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  return (ms) => {
    if (ms === undefined) return "–";
    if (ms >= 1000) return words.seconds(exact.format(ms / 1000));
    return words.milliseconds((ms < 10 ? exact : whole).format(ms));
  };
}
