import { useApp } from "../context";
import { useDescription } from "../hooks";
import { useWords } from "../i18n";
import { watchLink } from "../model/share";
import { CopyButton } from "./CopyButton";
import { Dialog } from "./Dialog";

/** The link to a stream, and how many read it now. */
export function ShareDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const words = useWords();
  const { client, own } = useApp();
  const { described } = useDescription(client, id, true);
  const link = watchLink(location.href, id, client.url, own);
  return (
    <Dialog title={words.shareTitle} onClose={onClose}>
      <p>{words.shareMore}</p>
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
      {described && <p className="note">{words.viewers(described.readers)}</p>}
    </Dialog>
  );
}
