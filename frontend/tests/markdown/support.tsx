/** Texts, and the component without frames between: each text is rendered when it is given. */
import { cleanup, render } from "@testing-library/react";
import { vi } from "vitest";
import { StreamingMarkdown } from "../../src/markdown";
import type { CodeActions } from "../../src/markdown/CodeBlock";
import corpus from "./hostile.json";

export const HOSTILE = corpus.map(({ name, text, times = 1 }) => ({
  name,
  text: text.repeat(times),
}));

export const ANSWER = `# Tea

Some **bold**, *light*, ***both***, ~~gone~~ and \`code\` with [a link](https://example.org/a?b=1&amp;c=2).

1. First, with a line
   that goes on

   and a paragraph
2. Second
   - [x] done
   - [ ] to do

> A quote
> > in a quote

| Name | Number |
|:-----|-------:|
| **one** | 1 |
| two<br>lines | 2 |

\`\`\`python
def f(x):
    return "**x**"
\`\`\`

Title
-----

See [the notes] and [others][the notes] &mdash; 5 * 3 * 2, snake_case_name, 3 < 4.

[the notes]: https://example.org/notes "Notes"

![A picture](https://example.org/p.png)

---

שלום **עולם**
`;

export interface Shown {
  element: HTMLElement;
  show: (text: string, done?: boolean) => void;
}

/** Render an empty text; `show` renders all of one, over as many frames as that takes. */
export function markdown(codeActions?: CodeActions): Shown {
  const frames: FrameRequestCallback[] = [];
  vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  const shown = (text: string, done: boolean) => (
    <StreamingMarkdown text={text} done={done} {...(codeActions && { codeActions })} />
  );
  const { container, rerender } = render(shown("", false));
  return {
    element: container,
    show: (text, done = false) => {
      rerender(shown(text, done));
      while (frames.length > 0) for (const frame of frames.splice(0)) frame(0);
      // The last frames set state outside of React's own events.
      rerender(shown(text, done));
    },
  };
}

/** What is shown of the whole text when it arrives at once. */
export function finished(text: string): string {
  return streamed([], text);
}

/** What is shown in the end when it arrives in pieces. */
export function streamed(pieces: Iterable<string>, rest = ""): string {
  const { element, show } = markdown();
  let text = "";
  for (const piece of pieces) show((text += piece));
  show(text + rest, true);
  const html = serialised(element);
  cleanup();
  return html;
}

/** As text; without what makes ids of one component others than those of the next. */
export function serialised(element: Element): string {
  return new XMLSerializer().serializeToString(element).replaceAll(/(?<=["#])_r_\w+?_/gu, "");
}
