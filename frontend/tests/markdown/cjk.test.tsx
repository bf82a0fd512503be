// @vitest-environment happy-dom
/** Chinese, Japanese and Korean: emphasis next to full-width punctuation, tildes, bare addresses. */
import { cleanup } from "@testing-library/react";
import fc from "fast-check";
import { Lexer, Tokenizer } from "marked";
import { afterEach, expect, test } from "vitest";
import { lex } from "../../src/markdown/lexer";
import { markdown, serialised } from "./support";

afterEach(cleanup);

/** The HTML of one paragraph, without its attributes. */
function paragraph(text: string): string {
  const { element, show } = markdown();
  show(text, true);
  return serialised(element)
    .replaceAll(/(?<=<\w+) [^>]*/gu, "")
    .replaceAll(/<\/?(?:p|div)>/gu, "");
}

const BOLD: [string, string][] = [
  ["**重要：**请注意", "<b>重要：</b>请注意"],
  ["**「引用」**です", "<b>「引用」</b>です"],
  ["他说**“你好”**然后走了", "他说<b>“你好”</b>然后走了"],
  [
    "**日本語の文章（括弧付き）。**この文が続きます。",
    "<b>日本語の文章（括弧付き）。</b>この文が続きます。",
  ],
  ["**“공개 문서는 점검한다”**는 원칙입니다.", "<b>“공개 문서는 점검한다”</b>는 원칙입니다."],
  ["**강조(強調)**입니다", "<b>강조(強調)</b>입니다"],
  ["*注意！*请", "<i>注意！</i>请"],
  ["*斜体（注）*后面", "<i>斜体（注）</i>后面"],
  ["***重要：***请", "<i><b>重要：</b></i>请"],
  ["~~删除。~~后文", "<s>删除。</s>后文"],
  ["**`code`**，然后", "<b><code>code</code></b>，然后"],
  ["请用**`code`**吧", "请用<b><code>code</code></b>吧"],
  ["请看**[链接（一）](https://example.org)**吧", "请看<b><a>链接（一）</a></b>吧"],
  ["[**重点：**说明](https://example.org)", "<a><b>重点：</b>说明</a>"],
  ["**甲：*乙！*丙。**丁", "<b>甲：<i>乙！</i>丙。</b>丁"],
  ["**甲：**乙**丙：**丁*戊。*己", "<b>甲：</b>乙<b>丙：</b>丁<i>戊。</i>己"],
  ["字**😀**字", "字<b>😀</b>字"],
  ["**好！😀**字", "<b>好！😀</b>字"],
  ["　**重要：**　请", "　<b>重要：</b>　请"],
  ["**𠮷（野家）**𠮷", "<b>𠮷（野家）</b>𠮷"],
  ["**字。\uFE00**后", "<b>字。\uFE00</b>后"],
  ["葛\u{E0100}**(注)**后", "葛\u{E0100}<b>(注)</b>后"],
  ["甲 **“b”\uFE01**c", "甲 <b>“b”\uFE01</b>c"],
  ["**ＡＢＣ！**ＤＥＦ", "<b>ＡＢＣ！</b>ＤＥＦ"],
  ["**注音ㄅ：**ㄆ", "<b>注音ㄅ：</b>ㄆ"],
  ["__注意__：注意事項", "<b>注意</b>：注意事項"],
  ["注意：__注意事項__", "注意：<b>注意事項</b>"],
  ["__重要：__请注意", "<b>重要：</b>请注意"],
  ["请__（注意）__后", "请<b>（注意）</b>后"],
];

test.each(BOLD)("%s", (text, html) => {
  const names = { b: "strong", i: "em", s: "del" };
  const expected = html.replaceAll(/(?<=<\/?)[bis](?=>)/gu, (name) => names[name as "b"]);
  expect(paragraph(text)).toBe(expected);
});

/** What stands before and after a delimiter, and whether it may close (of `甲`) or open (to `乙`). */
test.each([
  [" ", "字", false, true],
  ["字", " ", true, false],
  ["字", '"', true, true],
  ['"', "字", true, true],
  ["。", "a", true, true],
  ["a", "。", true, true],
  ["。", "「", true, true],
  ['"', "a", false, true],
  ["a", '"', true, false],
])("between %j and %j", (before, after, closes, opens) => {
  const emphasis = (text: string): string[] =>
    [...paragraph(text).matchAll(/<em>(.*?)<\/em>/gu)].map(([, words = ""]) => words);
  expect(emphasis(`甲 *乙${before}*${after}丙`)).toEqual(closes ? [`乙${before}`] : []);
  expect(emphasis(`甲${before}*${after}乙* 丙`)).toEqual(opens ? [`${after}乙`] : []);
});

test.each([
  "10~20元，3~5天",
  "~5 km ~ 10 km",
  "约~5元~左右",
  "~a~ and ~~~b~~~",
  "变量snake_case_name和_id、_name，__a、b",
  "甲**乙",
  "甲 ** 乙 * 丙",
  "甲~~乙",
  "你好*",
  "3 * 4 = 12，5 * 6",
])("no emphasis in %s", (text) => {
  expect(paragraph(text)).toBe(text);
});

test("of a text in other scripts nothing is made that marked does not make", () => {
  class Plain extends Tokenizer {
    override html = (): undefined => undefined;
    override tag = (): undefined => undefined;
  }
  const words =
    'a|B|é|я|ש|1| | |.|,|(|)|"|“|”|–|*|*|**|**|***|_|__|~~|`|\\|<b>|&amp;|😀|\n|\n\n|- |> |# ';
  const pieces = [
    ...words.split("|"),
    "|",
    "[x](http://a.b)",
    "https://a.bc/d",
    "“https://a.bc/é”",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (some) => {
      const text = some.join("").replaceAll(/~{3,}/gu, "~~");
      const plain = new Lexer({ gfm: true, tokenizer: new Plain() });
      expect(lex(text, {})).toEqual([...plain.lex(text)]);
    }),
    { numRuns: 1000, seed: 12 },
  );
});

/** Each with the addresses that are links. */
test.each<[string, ...string[]]>([
  ["https://example.com。", "https://example.com/"],
  ["https://example.com，请看", "https://example.com/"],
  ["（https://example.com）", "https://example.com/"],
  [
    "见「https://example.com/a」和“https://example.com/b”。",
    "https://example.com/a",
    "https://example.com/b",
  ],
  ["https://example.com/a（英文）", "https://example.com/a"],
  ["https://example.com/?q=中&x=1；后", "https://example.com/?q=%E4%B8%AD&x=1"],
  ["https://example.com/路径", "https://example.com/%E8%B7%AF%E5%BE%84"],
  ["访问https://example.com查看", "https://example.com/"],
  ["打开http://localhost:5002看", "http://localhost:5002/"],
  ["https://www.例子.com/a，", "https://www.xn--fsqu00a.com/a"],
  [
    "https://ja.wikipedia.org/wiki/ア・イ。",
    "https://ja.wikipedia.org/wiki/%E3%82%A2%E3%83%BB%E3%82%A4",
  ],
  ["请看www.example.com、www.example.org。", "http://www.example.com/", "http://www.example.org/"],
  ["**https://example.com/a。**后", "https://example.com/a"],
  ["邮箱foo_bar@example.com，或a@b.cn。", "mailto:foo_bar@example.com", "mailto:a@b.cn"],
  ["awww.example.com，"],
  ["“https://example.com/a” said", "https://example.com/a%E2%80%9D"],
])("addresses in %s", (text, ...addresses) => {
  const { element, show } = markdown();
  show(text, true);
  expect([...element.querySelectorAll("a")].map(({ href }) => href)).toEqual(addresses);
  expect(element.textContent).toBe(text.replaceAll("**", ""));
});

test.each([
  ...BOLD.map(([text]) => text),
  "* **具体：**与其说“一棵树”\n* **二：**后",
  "| 名 | **值：**甲 |\n|---|---|\n| **1。**乙 | 2 |\n",
  "> **注：**甲\n> *乙。*丙",
  "## **标题：**甲\n\n**乙**",
  "**粗体中的 [链接](https://example.org) 与 `代码`。**后",
  "这是*重*要的**粗**体，English **bold** 中文 *it* x",
  "**`code`** and **[link](https://example.org)** and [**link**](https://example.org)",
])("no markup flashes in %j", (text) => {
  const { element, show } = markdown();
  for (let end = 1; end <= text.length; end += 1) {
    show(text.slice(0, end));
    expect([text.slice(0, end), element.textContent]).toEqual([
      text.slice(0, end),
      expect.not.stringMatching(/[*_`|>#[\]~-]|https/u),
    ]);
  }
});
