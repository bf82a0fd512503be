import { useApp } from "../context";
import { useWords } from "../i18n";
import { explain, explainConnection, type Known } from "../i18n/explain";

interface ProblemProps {
  error: Known;
  /** Whether it is one of the connection, which comes again by itself. */
  connection?: boolean;
}

/** An error in the reader's words, with what the server says of it where that helps. */
export function Problem({ error, connection = false }: ProblemProps) {
  const { client } = useApp();
  const explained = connection ? explainConnection : explain;
  const { words, detail } = explained(error, useWords(), client.url, location.origin);
  return (
    <>
      <p>{words}</p>
      {detail !== undefined && (
        <p className="detail" lang="en" dir="auto">
          {detail}
        </p>
      )}
    </>
  );
}
