import { useEffect, useRef } from "react";
import type { TextStream } from "../../client";
import { bySegments, Speaker } from "../../speaker";

/** What screen readers hear of the text: whole sentences, now and then. */
export function Spoken({ stream }: { stream: TextStream }) {
  const element = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const speaker = new Speaker((sentences) => {
      if (element.current) element.current.textContent = sentences;
    }, bySegments);
    const unsubscribe = [
      stream.on("text", ({ text }) => {
        speaker.add(text);
      }),
      stream.on("reset", () => {
        speaker.clear();
      }),
      stream.on("end", () => {
        speaker.end();
      }),
    ];
    return () => {
      for (const off of unsubscribe) off();
      speaker.clear();
    };
  }, [stream]);
  return <p ref={element} className="hidden spoken" aria-live="polite" dir="auto" />;
}
