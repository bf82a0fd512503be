/** Whatever happens on the way, in any order: the text is exact in the end. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient, UNITS } from "./support/fake.js";

const size = fc.integer({ min: 1, max: 4 });

/** What may happen, and with how many units. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("send" as const), size }) },
  fc.record({ what: fc.constant("repeat" as const), size }),
  fc.record({ what: fc.constant("overlap" as const), size }),
  fc.record({ what: fc.constant("skip" as const), size }),
  fc.record({
    what: fc.constantFrom("lose", "deafen", "pause", "continue", "drop", "breakDown"),
    size: fc.constant(0),
  }),
);

test("after any faults the text is the server's, and the loop's, and the events'", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 30 }), fc.boolean(), async (plan, loop) => {
      const server = new FakeServer();
      let cursor = 0;
      server.script = ({ event, payload }) => {
        if (event === "start_stream") cursor = 0;
        if (event === "resume_stream") cursor = Number(payload.offset);
        return undefined;
      };
      const { client, clock } = await fakeClient(server);
      const stream = client.start("x");
      let heard = "";
      stream.on("text", ({ offset, text }) => {
        expect(offset).toBe(heard.length);
        heard += text;
      });
      const looped = (async () => {
        let all = "";
        if (loop) for await (const { text } of stream) all += text;
        return all;
      })();
      looped.catch(() => undefined); // Looked at in the end.
      await settle();
      const send = (from: number, count: number): void => {
        const to = Math.min(from + count, UNITS.length);
        if (from < to && server.streams.size > 0) server.send(from, to);
        cursor = Math.max(cursor, to);
      };
      for (const { what, size } of plan) {
        if (what === "send") send(cursor, size);
        else if (what === "repeat") send(Math.max(0, cursor - size), size);
        else if (what === "overlap") send(Math.max(0, cursor - 1), size + 1);
        else if (what === "skip") cursor = Math.min(cursor + size, UNITS.length - 1);
        else if (what === "lose") server.wire.lose();
        else if (what === "deafen") server.answering = !server.answering;
        else if (what === "drop") client.dropConnection(size);
        else if (what === "breakDown") {
          const error = { code: "internal_error", message: "A mistake.", retryable: true };
          if (stream.id) server.wire.emit("stream_error", { id: stream.id, ...error });
        } else stream[what]();
        expect(stream.text).toBe(UNITS.slice(0, stream.offset).join(""));
        await clock.advance(what === "lose" || what === "drop" ? 6000 : 1);
        if (stream.state === "failed") {
          // Only by a server that does not send what is due, again and again.
          expect(["internal_error", "protocol_error"]).toContain(stream.error?.code);
          client.close();
          await looped.catch(() => undefined);
          return;
        }
      }
      server.answering = true;
      server.wire.lose();
      await clock.advance(60_000);
      send(cursor, UNITS.length);
      server.end();
      expect(await stream.done).toMatchObject({ reason: "completed", verified: true });
      expect(heard).toBe(UNITS.join(""));
      if (loop) expect(await looped).toBe(heard);
      client.close();
    }),
    { numRuns: 300 },
  );
});
