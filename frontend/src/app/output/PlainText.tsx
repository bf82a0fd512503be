import { useEffect, useRef } from "react";
import type { TextStream } from "../../client";
import { followText } from "./followText";
import { TextSurface } from "./TextSurface";

/** The text as it is. React makes the element; what is in it is the surface's. */
export function PlainText({ stream }: { stream: TextStream }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!element.current) return undefined;
    const surface = new TextSurface(element.current);
    surface.append(stream.text);
    return followText(stream, surface);
  }, [stream]);
  return <div ref={element} className="output plain" />;
}
