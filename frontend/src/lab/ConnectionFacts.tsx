import type { LabState } from "./state";
import { useLabWords } from "./words";

/** Transport, upgrade, origin and protocol in use, as the server sees them. */
export function ConnectionFacts({ state: { facts, transport } }: { state: LabState }) {
  const words = useLabWords();
  const { fact } = words;
  const forwarded = Object.entries(facts?.forwarded ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value ?? ""}`)
    .join(", ");
  const rows: [string, string, string | null | undefined][] = [
    ["transport", fact.transport, transport],
    ["upgraded", fact.upgraded, facts && (facts.upgraded ? words.yes : words.no)],
    [
      "protocol",
      fact.protocol,
      facts && `Socket.IO ${facts.socketio}, Engine.IO ${facts.engineio ?? "?"}`,
    ],
    ["origin", fact.origin, facts && (facts.origin ?? words.none)],
    ["host", fact.host, facts?.host],
    ["scheme", fact.scheme, facts && `${facts.scheme ?? "?"}, ${facts.http ?? "?"}`],
    ["forwarded", fact.forwarded, facts && (forwarded || words.none)],
    ["server", fact.server, facts && `textstream ${facts.server}`],
  ];
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{words.facts}</h2>
      <dl className="facts">
        {rows.map(([key, name, value]) => (
          <div key={key} data-fact={key}>
            <dt>{name}</dt>
            <dd>{value ?? "–"}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
