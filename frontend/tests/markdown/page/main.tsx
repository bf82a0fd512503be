/** A page for the tests: the component alone, without a policy that would stop what it lets in. */
import { StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { StreamingMarkdown } from "../../../src/markdown";

declare global {
  interface Window {
    /** Show a text cut at each position, one after the other. */
    stream: (text: string) => Promise<void>;
  }
}

const nextFrame = window.requestAnimationFrame.bind(window);
const frames: FrameRequestCallback[] = [];
// Thousands of texts, without waiting for the screen between.
window.requestAnimationFrame = (frame) => frames.push(frame);
window.cancelAnimationFrame = () => undefined;

const pane = document.querySelector("main");
if (!pane) throw new Error("no pane");
const root = createRoot(pane);

function show(text: string, done: boolean): void {
  flushSync(() => {
    root.render(
      <StrictMode>
        <StreamingMarkdown text={text} done={done} />
      </StrictMode>,
    );
  });
  while (frames.length > 0) {
    flushSync(() => {
      frames.shift()?.(0);
    });
  }
}

window.stream = async (text) => {
  for (let end = 0; end <= text.length; end += 1) show(text.slice(0, end), false);
  show(text, true);
  // What would load or run by itself does so by then.
  for (let n = 0; n < 2; n += 1) await new Promise(nextFrame);
};
