import { useState, useSyncExternalStore } from "react";
import { Choice } from "../shared/components/Choice";
import { foreignOrigin } from "../shared/foreign";
import { ownServer } from "../shared/server";
import { ConnectionFacts } from "./ConnectionFacts";
import { EventLog } from "./EventLog";
import { Events } from "./Events";
import type { LabLink, Transports } from "./link";
import { RoundTrips } from "./RoundTrips";
import { useLabWords } from "./words";

const TRANSPORTS: Record<"both" | "upgrade" | "polling", Transports> = {
  both: ["websocket", "polling"],
  upgrade: ["polling", "websocket"],
  polling: ["polling"],
};

/** The page: how one is connected, how long a round trip takes, and every kind of event. */
export function Lab({ link }: { link: LabLink }) {
  const words = useLabWords();
  const state = useSyncExternalStore(link.subscribe, link.state);
  const [over, setOver] = useState<keyof typeof TRANSPORTS>("both");
  const { status } = state;
  const foreign = foreignOrigin(link.server, ownServer(location, "../"), location.href);
  const problem =
    status === "refused"
      ? words.refused(location.origin)
      : status === "absent"
        ? words.absent(link.server)
        : status === "off"
          ? words.off
          : "";
  return (
    <main>
      <header className="lab-header">
        <h1>{words.title}</h1>
        <p className="connection" data-state={status} role="status">
          <span className="badge">{words.status[status]}</span>
          {state.transport !== undefined && <span> · {state.transport}</span>}
        </p>
        {foreign !== undefined && <p className="server">{foreign}</p>}
        <p className="about">{words.about}</p>
        <p role="alert" className="problem">
          {problem}
        </p>
        <div className="over">
          <Choice
            label={words.over}
            name="over"
            value={over}
            options={[
              ["both", words.transports.both],
              ["upgrade", words.transports.upgrade],
              ["polling", words.transports.polling],
            ]}
            onChange={(chosen) => {
              setOver(chosen);
              link.open(TRANSPORTS[chosen]);
            }}
          />
          <button
            type="button"
            onClick={() => {
              link.open(TRANSPORTS[over]);
            }}
          >
            {words.reconnect}
          </button>
        </div>
      </header>
      <div className="columns">
        <div>
          <ConnectionFacts state={state} />
          <RoundTrips roundTrips={state.roundTrips} />
          <section aria-labelledby="counter">
            <h2 id="counter">{words.counter}</h2>
            <p className="counter" data-counter={state.counter}>
              {state.counter ?? words.counterNone}
            </p>
          </section>
        </div>
        <Events link={link} disabled={status !== "connected"} />
        <EventLog
          entries={state.entries}
          onClear={() => {
            link.clear();
          }}
        />
      </div>
    </main>
  );
}
