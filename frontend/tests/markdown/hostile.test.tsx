// @vitest-environment happy-dom
/** Hostile texts, cut at each position as a stream does: only known elements and attributes. */
import { cleanup } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { finished, HOSTILE, markdown, serialised } from "./support";

const NONE: readonly string[] = [];
const BLOCK = ["dir", "data-continued"];
const HEADING = [...BLOCK, "data-depth"];
const CELL = ["data-align"];
const ALLOWED: Record<string, readonly string[]> = {
  a: ["href", "target", "rel", "id", "role"],
  blockquote: BLOCK,
  br: NONE,
  code: ["dir"],
  del: NONE,
  div: [...BLOCK, "class", "tabindex", "id", "role"],
  em: NONE,
  h2: HEADING,
  h3: HEADING,
  h4: HEADING,
  h5: HEADING,
  h6: HEADING,
  hr: BLOCK,
  li: ["class"],
  ol: [...BLOCK, "start"],
  p: BLOCK,
  pre: ["tabindex"],
  span: ["class"],
  strong: NONE,
  sup: ["id"],
  table: NONE,
  tbody: NONE,
  td: CELL,
  th: CELL,
  thead: NONE,
  tr: NONE,
  ul: BLOCK,
};

const VALUES: Record<string, RegExp> = {
  class: /^(?:task|table|code|code-head|footnote|footnote-number|footnote-back)$/,
  dir: /^(?:auto|ltr)$/,
  "data-align": /^(?:left|center|right)$/,
  "data-continued": /^true$/,
  "data-depth": /^[1-6]$/,
  href: /^(?:https?:\/\/[^@]*$|mailto:|#_r_\w+_(?:footnote-\d+|reference-\d+-\d+)$)/,
  id: /^_r_\w+_(?:footnote-\d+|reference-\d+-\d+)$/,
  rel: /^noopener noreferrer nofollow ugc$/,
  role: /^doc-(?:noteref|footnote|backlink)$/,
  start: /^\d+$/,
  tabindex: /^(?:0|-1)$/,
  target: /^_blank$/,
};

/** What is not allowed in `element`, as `tag attribute=value`. */
function foreign(element: Element): string[] {
  return [...element.querySelectorAll("*")].flatMap((one) => {
    const tag = one.localName;
    const allowed = ALLOWED[tag];
    if (!allowed) return [tag];
    return [...one.attributes]
      .filter(({ name, value }) => !allowed.includes(name) || !VALUES[name]?.test(value))
      .map(({ name, value }) => `${tag} ${name}=${value}`);
  });
}

afterEach(cleanup);

test("there are at least sixty, each with its own name", () => {
  expect(new Set(HOSTILE.map(({ name }) => name)).size).toBe(HOSTILE.length);
  expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
});

test.each(HOSTILE)("$name", ({ text }) => {
  const { element, show } = markdown();
  const found = new Set<string>();
  for (let end = 1; end <= text.length; end += 1) {
    show(text.slice(0, end));
    for (const one of foreign(element)) found.add(`${end}: ${one}`);
  }
  show(text, true);
  for (const one of foreign(element)) found.add(one);
  expect([...found]).toEqual([]);
  // How it was cut leaves no trace.
  expect(serialised(element) === finished(text)).toBe(true);
  expect(document.body.children).toHaveLength(0);
  expect([...document.body.attributes, ...document.head.children]).toEqual([]);
});

test("the check sees what is foreign", () => {
  const made = document.createElement("div");
  made.append(document.createElement("script"), document.createElement("a"));
  made.lastElementChild?.setAttribute("href", "javascript:x");
  expect(foreign(made)).toEqual(["script", "a href=javascript:x"]);
});
