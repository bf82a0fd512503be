// @vitest-environment happy-dom
/** Footnotes: numbered with their first mention, linked both ways, calm while the text grows. */
import { cleanup, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { StreamingMarkdown } from "../../src/markdown";
import { MarkdownBlocks } from "../../src/markdown/blocks";
import { markdown, streamed, finished } from "./support";

afterEach(cleanup);

const TEXT = `甲[^1]乙[^注]，再[^1]。

[^1]: 一，**粗：**后
[^注]: 二
    续行

    第二段
`;

function texts(element: Element, selector: string): (string | null)[] {
  return [...element.querySelectorAll(selector)].map(({ textContent }) => textContent);
}

/** What each link of the kind leads to. */
function targets(element: Element, role: string): (Element | null)[] {
  return [...element.querySelectorAll<HTMLAnchorElement>(`a[role=${role}]`)].map(({ hash }) =>
    document.getElementById(hash.slice(1)),
  );
}

test("references and footnotes lead to each other", () => {
  const { element, show } = markdown();
  show(TEXT, true);
  expect(texts(element, "a[role=doc-noteref]")).toEqual(["1", "2", "1"]);
  const [first, second] = element.querySelectorAll("[role=doc-footnote]");
  expect(targets(element, "doc-noteref")).toEqual([first, second, first]);
  const references = [...element.querySelectorAll("a[role=doc-noteref]")];
  expect(targets(element, "doc-backlink")).toEqual([references[0], references[2], references[1]]);
  expect(texts(element, "[role=doc-footnote]")).toEqual(["1.一，粗：后↩↩2", "2.二\n续行第二段↩"]);
  expect(element.querySelector("[role=doc-footnote] strong")?.textContent).toBe("粗：");
  expect(second?.querySelectorAll("p")).toHaveLength(2);
});

test("a reference is one before its footnote has come, and stays as it is", () => {
  const { element, show } = markdown();
  let reference: Element | null = null;
  for (let end = 1; end <= TEXT.length; end += 1) {
    show(TEXT.slice(0, end));
    reference ??= element.querySelector("sup");
    expect(element.querySelector("sup")).toBe(reference);
    expect(element.textContent).not.toMatch(/[[\]^*]/u);
    expect(texts(element, "a[role=doc-noteref]")).toEqual(
      ["1", "2", "1"].slice(0, element.querySelectorAll("sup a").length),
    );
  }
  expect(reference?.textContent).toBe("1");
});

test("in single characters as at once, wherever the footnotes are", () => {
  for (const text of [
    TEXT,
    "[^a]: 先\n\n甲[^a]乙[^a]\n\n丙[^a]",
    "缺[^no]失[^a]\n\n[^a]: b",
    "段\n[^1]: 紧接\n懒\n- 列表[^1]\n  [^2]: 内\n\n> 引[^2]\n> [^3]: c [^1]",
    "甲[^1]\n\n[^1]: a\n---\n\n乙[^2]\n\n[^2]: b\n===\n[^3]: c\n# 题",
    "| a[^1] |\n|---|\n| b[^1] |\n[^1]: t\n\n# 题[^2]\n\n[^2]: ```\n    x\n    ```\n",
  ]) {
    expect(streamed(text.split(""))).toBe(finished(text));
  }
});

test("a footnote that comes before its references gets its links back later", () => {
  const { element, show } = markdown();
  show("[^a]: 先\n\n甲[^a]\n\n乙[^a]\n\n丙");
  expect(targets(element, "doc-backlink")).toEqual([...element.querySelectorAll("sup > a[id]")]);
  expect(texts(element, "[role=doc-footnote]")).toEqual(["1.先↩↩2"]);
});

test("a reference without a footnote is written out once no more can come", () => {
  const { element, show } = markdown();
  show("甲[^1]乙[^0-9]丙\n\n[^1]: a\n\n又[^0-9]+\n\n丁");
  expect(texts(element, "sup")).toEqual(["1", "2", "2"]);
  show("甲[^1]乙[^0-9]丙\n\n[^1]: a\n\n又[^0-9]+\n\n丁", true);
  expect(texts(element, "p")).toEqual(["甲1乙[^0-9]丙", "a", "又[^0-9]+", "丁"]);
});

test("a link's definition that comes later leaves the numbers and places as they are", () => {
  const { element, show } = markdown();
  show("[^b]: x\n\n甲[^a]乙[k]丙[^b]\n\n[k]: https://example.org/\n\n[^a]: y\n\nz", true);
  expect(texts(element, "a")).toEqual(["↩", "2", "k", "1", "↩"]);
  const [b, a] = element.querySelectorAll("[role=doc-footnote]");
  expect(targets(element, "doc-noteref")).toEqual([a, b]);
  expect(targets(element, "doc-backlink").map((one) => one?.textContent)).toEqual(["1", "2"]);
});

test("of two with one label the first counts, and no id is there twice", () => {
  const { element, show } = markdown();
  show("甲[^A]\n\n[^a]: 一\n[^a]: 二", true);
  expect(texts(element, "[role=doc-footnote]")).toEqual(["1.一↩", "1.二"]);
  const ids = [...element.querySelectorAll("[id]")].map(({ id }) => id);
  expect(ids).toHaveLength(2);
});

test("what a text calls its footnotes is in no id and no address, and several texts share none", () => {
  const text = "甲[^x\"'<b>]乙\n\n[^x\"'<b>]: [y](javascript:z)";
  const frames: FrameRequestCallback[] = [];
  vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
  const panes = (
    <>
      <StreamingMarkdown text={text} done />
      <StreamingMarkdown text={text} done />
    </>
  );
  const { container, rerender } = render(panes);
  for (const frame of frames.splice(0)) frame(0);
  rerender(panes);
  const ids = [...container.querySelectorAll("[id]")].map(({ id }) => id);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(4);
  expect(ids.filter((id) => !/^\w+-[\d-]+$/u.test(id))).toEqual([]);
  const hrefs = [...container.querySelectorAll("a")].map((a) => a.getAttribute("href"));
  expect(new Set(hrefs)).toEqual(new Set(ids.map((id) => `#${id}`)));
});

test("following a link moves the focus there, not the page's address", async () => {
  const { element, show } = markdown();
  show(TEXT, true);
  const before = window.location.href;
  const [reference] = element.querySelectorAll("a");
  if (!reference) throw new Error("no reference");
  await userEvent.click(reference);
  expect(document.activeElement).toBe(element.querySelector("[role=doc-footnote]"));
  const [back] = element.querySelectorAll("a[role=doc-backlink]");
  if (!back) throw new Error("no link back");
  await userEvent.click(back);
  expect(document.activeElement).toBe(reference);
  expect(window.location.href).toBe(before);
});

test.each([
  ["`[^1]` \\[^1]", "[^1] [^1]"],
  ["[^ 1] [^] [^a b]", "[^ 1] [^] [^a b]"],
  ["[^1](https://example.org/)", "^1"],
])("no reference in %s", (text, shown) => {
  const { element, show } = markdown();
  show(`${text}\n\n[^1]: a`, true);
  expect(element.querySelector("p")?.textContent).toBe(shown);
});

test("in a link a reference is a number only, to which its footnote leads back", () => {
  const { element, show } = markdown();
  show("[甲[^1]](https://example.org/)\n\n[^1]: a", true);
  expect(element.querySelectorAll("a a")).toHaveLength(0);
  expect(targets(element, "doc-backlink")).toEqual([element.querySelector("sup")]);
});

test("of thousands of references a footnote leads back to twenty", () => {
  const blocks = new MarkdownBlocks();
  blocks.take(`[^1]: a\n\n${"甲[^1]。\n\n".repeat(3000)}`, true);
  while (blocks.read());
  const { references } = blocks.blocks[0]?.token as unknown as { references: string[] };
  expect(references).toHaveLength(20);
});
