import { useEffect, useRef } from "react";
import type { TextStream } from "../../client";
import { bySegments, Speaker } from "../../shared/speaker";
import { followText } from "./followText";

/** What screen readers hear of the text: whole sentences, now and then. */
export function Spoken({ stream }: { stream: TextStream }) {
  const element = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const speaker = new Speaker((sentences) => {
      if (element.current) element.current.textContent = sentences;
    }, bySegments);
    return followText(stream, speaker);
  }, [stream]);
  return <p ref={element} className="hidden spoken" aria-live="polite" dir="auto" />;
}
