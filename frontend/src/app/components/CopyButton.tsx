import { useEffect, useState } from "react";
import { useWords } from "../i18n";

const SHOWN_MS = 2000;

/** Copies `text`, and says for a moment that it has. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const words = useWords();
  const [outcome, setOutcome] = useState<string>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => {
      setOutcome(undefined);
    }, SHOWN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [outcome]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text());
      setOutcome(words.copied);
    } catch {
      // On plain HTTP from another host there is no clipboard.
      setOutcome(words.notCopied);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {outcome ?? label}
      </button>
      <span role="status" className="hidden">
        {outcome}
      </span>
    </>
  );
}
