import { mean, ROUND_TRIPS } from "./state";
import { useLabWords } from "./words";

const WIDTH = 300;
const HEIGHT = 64;

/** Round trips over the last half a minute: 30 bars need no library. */
export function RoundTrips({ roundTrips }: { roundTrips: readonly number[] }) {
  const words = useLabWords();
  const average = mean(roundTrips);
  const highest = Math.max(1, ...roundTrips);
  const step = WIDTH / ROUND_TRIPS;
  const shown = average === undefined ? "–" : `${average.toFixed(1)} ms`;
  return (
    <section aria-labelledby="trips">
      <h2 id="trips">{words.trips}</h2>
      <p className="average">
        <strong>{shown}</strong> {words.average(roundTrips.length)}
      </p>
      <svg
        className="trips"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${words.trips}: ${shown}, ${words.average(roundTrips.length)}`}
      >
        {roundTrips.map((ms, index) => {
          const height = Math.max(1, (ms / highest) * HEIGHT);
          return (
            <rect
              key={index}
              x={index * step + 1}
              y={HEIGHT - height}
              width={step - 2}
              height={height}
            />
          );
        })}
      </svg>
    </section>
  );
}
