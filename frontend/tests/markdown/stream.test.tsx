// @vitest-environment happy-dom
/** Markdown while it grows: equal in the end, calm on the way, bounded in time. */
import { cleanup } from "@testing-library/react";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { MarkdownBlocks } from "../../src/markdown/blocks";
import { ANSWER, HOSTILE, finished, markdown, serialised, streamed } from "./support";

afterEach(cleanup);

test("in single characters as at once", () => {
  expect(streamed(ANSWER.split(""))).toBe(finished(ANSWER));
});

test("in any pieces as at once", () => {
  const lines = [...ANSWER.split("\n"), "", "  * a", "   b", "\tc", "> d", "***", "[e]: f", "\r"];
  lines.push(
    "***x***",
    "#x",
    "[^1]",
    "**重：**后[^2][^1]",
    "[^1]: 注",
    "[^2]: b",
    "    c",
    "> [^3]: 甲",
    "[^E]: [e]",
  );
  const texts = fc.array(fc.constantFrom(...lines), { maxLength: 12 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(30), { minLength: 1, maxLength: 9 }), (some, sizes) => {
      let rest = some.join("\n");
      const text = rest;
      const pieces: string[] = [];
      for (let n = 0; rest; n += 1) {
        const size = (sizes[n % sizes.length] ?? 0) + 1;
        pieces.push(rest.slice(0, size));
        rest = rest.slice(size);
      }
      expect(streamed(pieces)).toBe(finished(text));
    }),
    { numRuns: 100, seed: 5 },
  );
});

test.each([
  ["a\n***", "x***"],
  ["a\n#", "x"],
  ["[^1]: a\n*", "*x**"],
])("a line of marks alone decides nothing before it is whole: %j, %j", (...pieces) => {
  expect(streamed(pieces)).toBe(finished(pieces.join("")));
});

test("an answer is rendered as CommonMark and GFM say", () => {
  const { element, show } = markdown();
  show(ANSWER, true);
  const all = (selector: string) =>
    [...element.querySelectorAll(selector)].map((one) => one.textContent);
  expect(all("h2, h3")).toEqual(["Tea", "Title"]);
  expect(all("strong")).toEqual(["bold", "both", "one", "עולם"]);
  expect(all("ol > li")).toHaveLength(2);
  expect(all("li.task")).toEqual(["☑ done", "☐ to do"]);
  expect(all("blockquote blockquote")).toHaveLength(1);
  expect(all("td")).toEqual(["one", "1", "twolines", "2"]);
  expect(all("td br")).toHaveLength(1);
  expect(all("pre")).toEqual(['def f(x):\n    return "**x**"']);
  expect(all("p:nth-last-of-type(3)")).toEqual([
    "See the notes and others — 5 * 3 * 2, snake_case_name, 3 < 4.",
  ]);
  expect([...element.querySelectorAll("a")].map(({ href }) => href)).toEqual([
    "https://example.org/a?b=1&c=2",
    "https://example.org/notes",
    "https://example.org/notes",
    "https://example.org/p.png",
  ]);
  expect(all("a").at(-1)).toBe("🖼 A picture");
});

test("what is finished keeps its elements, character by character", () => {
  const { element, show } = markdown();
  const text = ANSWER.replace(/\[the notes\]: .*\n/u, "");
  for (let end = 1; end <= text.length; end += 1) {
    const before = [...element.children].slice(0, -1);
    const was = before.map(serialised);
    show(text.slice(0, end));
    const now = [...element.children].slice(0, before.length);
    expect(now.every((one, index) => one === before[index])).toBe(true);
    expect(now.map(serialised)).toEqual(was);
  }
});

test("within a block, what is finished keeps its elements too", () => {
  const { element, show } = markdown();
  let item: Element | null = null;
  for (const end of ["- **a", "- **a** b", "- **a** b\n- c", "- **a** b\n- c\n  - d"]) {
    show(end);
    item ??= element.querySelector("li strong");
    expect(element.querySelector("li strong")).toBe(item);
  }
});

/** Each with what must never be seen on the way, as a regular expression on the text shown. */
test.each([
  ["**bold** and *light* and ***both***", /\*/u],
  ["__bold__ and _light_", /_/u],
  ["~~gone~~ and `code` and ``co`de``", /~|``/u],
  ["- one\n- two\n  - **three**", /[-*]/u],
  ["[words](https://example.org/) on", /[[\]()]|https/u],
  ["![words](https://example.org/p.png) on", /[[\]()!]|https/u],
  ["```js\nlet x;\n```\nafter", /`|j(?!s)/u],
  ["> quote\n> more", />/u],
  ["## heading\n\ntext", /#/u],
  ["| a | b |\n|---|--:|\n| **1** | 2 |\n| `3` | 4 |\n", /[|*-]/u],
  ["1. one\n2. two\n10. three", /[\d.]/u],
  ["fish &amp; chips &#38; more", /amp|#|38/u],
])("no markup flashes in %j", (text, markup) => {
  const { element, show } = markdown();
  for (let end = 1; end <= text.length; end += 1) {
    show(text.slice(0, end));
    expect([text.slice(0, end), element.textContent]).toEqual([
      text.slice(0, end),
      expect.not.stringMatching(markup),
    ]);
  }
});

test("a paragraph before a list or a line is never a heading for a moment", () => {
  const { element, show } = markdown();
  for (const text of ["Things:\n- a", "Things:\n1. a", "Things:\n\n---\n\nb"]) {
    for (let end = 1; end <= text.length; end += 1) {
      show(text.slice(0, end));
      expect(element.querySelector("h2, h3")).toBeNull();
    }
  }
});

test("code has the name of its language, and what is offered beside it gets all of the code", () => {
  const { element, show } = markdown((code) => <i>{code}</i>);
  const offered = () => element.querySelector("i")?.textContent;
  const language = () => element.querySelector(".code-head > span")?.textContent;
  show("```pyth");
  expect([language(), offered()]).toEqual(["", ""]);
  show('```python title="x"\na\n``` \n');
  expect([language(), offered()]).toEqual(["python", "a"]);
  show("```\n" + "0123456789 line\n".repeat(4000) + "```\nAfter.", true);
  expect(element.querySelectorAll(".code").length).toBeGreaterThan(2);
  expect(offered()).toBeUndefined(); // a part of the code would be taken for all of it
});

test("what is not closed in the end stays as it is written", () => {
  const { element, show } = markdown();
  show("a **b [c](http", true);
  expect(element.textContent).toBe("a **b [c](http");
});

test("another text starts anew", () => {
  const { element, show } = markdown();
  show("one\n\ntwo", true);
  show("three");
  expect(element.textContent).toBe("three");
});

test("headings leave out no level", () => {
  const { element, show } = markdown();
  show("#### a\n\n# b\n\n### c\n\n> ###### d\n\n# e", true);
  const levels = [...element.querySelectorAll("[data-depth]")].map((one) => one.localName);
  expect(levels).toEqual(["h2", "h2", "h3", "h4", "h2"]);
});

test.each([
  ["code", "```\n", "0123456789 line\n", "```\n"],
  ["a table", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", ""],
  ["a list", "", "- item\n", ""],
  ["a paragraph", "", "words and words\n", ""],
  ["one line", "", "words and words ", ""],
])("a block of 50,000 characters goes on in others: %s", (_, begin, line, end) => {
  const text = begin + line.repeat(50_000 / line.length) + end;
  const { element, show } = markdown();
  show(text, true);
  // A table's header is repeated.
  const words = (some: string) => some.replace(/[^\da-z]+/gu, "").replaceAll("ab", "");
  expect(words(element.textContent) === words(text)).toBe(true);
  expect(element.children.length).toBeGreaterThan(2);
  expect(new Set([...element.children].map(({ localName }) => localName)).size).toBe(1);
});

test.each(HOSTILE)("20,000 characters of it take bounded time: $name", ({ text }) => {
  const long = text.repeat(Math.ceil(20_000 / text.length)).slice(0, 20_000);
  // What the engine does beside it makes reading slower, never faster: the best of three counts.
  const slowest: number[] = [];
  do slowest.push(slowestRead(long));
  while (slowest.length < 3 && Math.min(...slowest) >= 200);
  expect(Math.min(...slowest)).toBeLessThan(200);
});

/**
 * Milliseconds of the processor that the slowest reading takes of a text that comes in four pieces.
 * Not of the clock, which also counts what other processes do.
 */
function slowestRead(text: string): number {
  const blocks = new MarkdownBlocks();
  let slowest = 0;
  const read = (): boolean => {
    const began = process.cpuUsage();
    const isMore = blocks.read();
    const { user, system } = process.cpuUsage(began);
    slowest = Math.max(slowest, (user + system) / 1000);
    return isMore;
  };
  for (const end of [5_000, 16_000, 18_000]) {
    blocks.take(text.slice(0, end), false);
    while (read());
  }
  blocks.take(text, true);
  while (read());
  return slowest;
}
