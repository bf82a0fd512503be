import type { TextStream } from "../../client";
import type { History } from "./history";
import type { Shown } from "./pane";

/** Errors after which the server does not have the stream. */
const GONE: readonly string[] = ["unknown_stream", "offset_gone"];

/** Keep the history's entry of `stream` up to date, from when the server has given it an id. */
export function recordIn(
  history: History,
  stream: TextStream,
  { prompt = "", cut, watching }: Shown,
): void {
  const startedAt = Date.now();
  const known = (): void => {
    const { info } = stream;
    if (!info) return;
    unsubscribe();
    const { id, source, unit, rate } = info;
    const before = history.find(id);
    const asked = { prompt, ...(cut && { cut }), ...(watching && { watched: true }) };
    history.put(before ?? { id, startedAt, ...asked, source, unit, rate });
    // One that has ended does not run again by being read again.
    if (!stream.result && !history.hasEnded(id)) history.settle(id, undefined);
  };
  const unsubscribe = stream.subscribe(known);
  known();
  stream.on("end", ({ id, result, error }) => {
    if (id === undefined) return;
    if (result) history.settle(id, result.reason);
    else if (error && GONE.includes(error.code)) history.settle(id, "gone");
    else if (error && error.code !== "closed") history.settle(id, "failed");
  });
}
