import type { StreamError } from "../../client";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { explain } from "../i18n/explain";

/** An error in the reader's words, with what the server says of it where that helps. */
export function Problem({ error }: { error: Pick<StreamError, "code" | "message"> }) {
  const { client } = useApp();
  const { words, detail } = explain(error, useWords(), client.url, location.origin);
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
