import { useEffect, useState } from "react";
import type { StreamError, TextStream } from "../../client";
import { useApp } from "../context";
import { useDescription } from "../hooks";
import { useWords } from "../i18n";
import { grantFor } from "../model/grants";
import { watchLink } from "../model/share";
import { CopyButton } from "./CopyButton";
import { Dialog } from "./Dialog";
import { Problem } from "./Problem";

/** Seconds for which a link may be good. */
const TIMES = { hour: 3600, day: 86_400, week: 604_800 } as const;
type Time = keyof typeof TIMES;

type Sharing =
  | { state: "asking" }
  | { state: "shared"; grant: string | undefined }
  | { state: "ended" }
  | { state: "failed"; error: StreamError };

interface ShareDialogProps {
  stream: TextStream;
  id: string;
  /** Whether it is somebody else's: it is shared as it came. */
  watching: boolean;
  onClose: () => void;
}

/** The link to a stream, for how long it is good, and how many read it now. */
export function ShareDialog({ stream, id, watching, onClose }: ShareDialogProps) {
  const words = useWords();
  const { client, own } = useApp();
  const { described } = useDescription(client, id, true);
  const [time, setTime] = useState<Time>("day");
  const [sharing, setSharing] = useState<Sharing>(
    watching ? { state: "shared", grant: grantFor(client.url, id) } : { state: "asking" },
  );
  useEffect(() => {
    if (watching) return undefined;
    let current = true;
    client.share(stream, { expires: TIMES[time] }).then(
      ({ grant }) => {
        if (current) setSharing({ state: "shared", grant });
      },
      (error: unknown) => {
        if (!current) return;
        const known = error as StreamError;
        // An older server: there, whoever has the id may read.
        if (known.code === "unknown_event") setSharing({ state: "shared", grant: undefined });
        else setSharing({ state: "failed", error: known });
      },
    );
    return () => {
      current = false;
    };
  }, [client, stream, time, watching]);
  const end = (): void => {
    client.unshare(stream).then(
      () => {
        setSharing({ state: "ended" });
      },
      (error: unknown) => {
        setSharing({ state: "failed", error: error as StreamError });
      },
    );
  };
  const link =
    sharing.state === "shared" ? watchLink(location.href, id, client.url, own, sharing.grant) : "";
  return (
    <Dialog title={words.shareTitle} onClose={onClose}>
      {sharing.state === "ended" ? (
        <p role="status">{words.shareEnded}</p>
      ) : (
        <>
          <p>{watching ? words.watching : words.shareMore}</p>
          <p className="link">
            <label htmlFor="share-link" className="hidden">
              {words.link}
            </label>
            <input
              id="share-link"
              readOnly
              value={link}
              onFocus={(event) => {
                event.target.select();
              }}
            />
            <CopyButton label={words.copy} text={() => link} />
          </p>
        </>
      )}
      {sharing.state === "failed" && (
        <div role="alert" className="problem">
          <Problem error={sharing.error} />
        </div>
      )}
      {!watching && sharing.state !== "ended" && (
        <div className="actions">
          <label>
            {words.shareFor}{" "}
            <select
              value={time}
              onChange={(event) => {
                setTime(event.target.value as Time);
              }}
            >
              {(Object.keys(TIMES) as Time[]).map((one) => (
                <option key={one} value={one}>
                  {words.shareTimes[one]}
                </option>
              ))}
            </select>
          </label>
          <button type="button" disabled={sharing.state !== "shared"} onClick={end}>
            {words.endSharing}
          </button>
        </div>
      )}
      {described && <p className="note">{words.viewers(described.readers)}</p>}
    </Dialog>
  );
}
