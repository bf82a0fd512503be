import { useState } from "react";
import { EventButton } from "./EventButton";
import type { LabLink } from "./link";
import { useLabWords } from "./words";

/** A button for each event that the lab knows. */
export function Events({ link, disabled }: { link: LabLink; disabled: boolean }) {
  const words = useLabWords();
  const [data, setData] = useState("Hello 👋");
  const [room, setRoom] = useState("lounge");
  const buttons: [string, string, () => void][] = [
    [
      "my_event",
      words.echo,
      () => {
        link.send("my_event", { data });
      },
    ],
    [
      "my_broadcast_event",
      words.broadcast,
      () => {
        link.send("my_broadcast_event", { data });
      },
    ],
    [
      "message",
      words.unnamed,
      () => {
        link.send("message", data, { room }, 3);
      },
    ],
    [
      "json",
      words.json,
      () => {
        link.send("json", { data });
      },
    ],
    [
      "request_for_response",
      words.work,
      () => {
        link.request(data);
      },
    ],
    [
      "disconnect_request",
      words.disconnect,
      () => {
        link.send("disconnect_request");
      },
    ],
  ];
  const rooms: typeof buttons = [
    [
      "join",
      words.join,
      () => {
        link.send("join", { room });
      },
    ],
    [
      "leave",
      words.leave,
      () => {
        link.send("leave", { room });
      },
    ],
    [
      "my_room_event",
      words.sendRoom,
      () => {
        link.send("my_room_event", { room, data });
      },
    ],
    [
      "close_room",
      words.closeRoom,
      () => {
        link.send("close_room", { room });
      },
    ],
  ];
  return (
    <section aria-labelledby="events">
      <h2 id="events">{words.events}</h2>
      <p className="input">
        <label htmlFor="data">{words.message}</label>
        <input
          id="data"
          dir="auto"
          value={data}
          onChange={(event) => {
            setData(event.target.value);
          }}
        />
      </p>
      {buttons.map(([event, label, send]) => (
        <EventButton key={event} event={event} label={label} disabled={disabled} onSend={send} />
      ))}
      <p className="input">
        <label htmlFor="room">{words.room}</label>
        <input
          id="room"
          dir="auto"
          maxLength={64}
          value={room}
          onChange={(event) => {
            setRoom(event.target.value);
          }}
        />
      </p>
      {rooms.map(([event, label, send]) => (
        <EventButton key={event} event={event} label={label} disabled={disabled} onSend={send} />
      ))}
    </section>
  );
}
