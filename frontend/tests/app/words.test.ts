/** The page's texts: the same in every language, and none forgotten. */
import { expect, test } from "vitest";
import { SERVER_CODES, CLIENT_CODES } from "../../src/client/errors";
import { en } from "../../src/app/i18n/en";
import { explain, explainConnection } from "../../src/app/i18n/explain";
import { zh } from "../../src/app/i18n/zh";
import { preferredLanguage } from "../../src/shared/language";
import { inWords } from "../../src/shared/limits";

/** Every text with its path; functions are called, so that what they say is compared too. */
function texts(words: object, path = ""): Record<string, string> {
  return Object.fromEntries(
    Object.entries(words).flatMap(([key, value]: [string, unknown]) => {
      const at = `${path}.${key}`;
      if (typeof value === "function") return [[at, (value as (x: string) => string)("7")]];
      if (typeof value === "string") return [[at, value]];
      return Object.entries(texts(value as object, at));
    }),
  );
}

/** Names and measures that are the same in both. */
const SAME = [".title", ".languageLabel", ".views.markdown", ".over.websocket"];

test("both languages have the same texts, and no text is empty or left in English", () => {
  const [english, chinese] = [texts(en), texts(zh)];
  expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort());
  for (const [key, text] of Object.entries(chinese)) {
    expect(text, key).not.toBe("");
    if (!SAME.includes(key)) expect(text, key).not.toBe(english[key]);
  }
});

test.each([
  [["zh-TW", "en"], "zh"],
  [["en-GB", "zh"], "en"],
  [["fr", "zh-CN"], "zh"],
  [["de"], "en"],
  [[], "en"],
])("for the browser's languages %j the page speaks %s", (languages, language) => {
  expect(preferredLanguage(languages)).toBe(language);
});

test("every error code has words that say what to do", () => {
  for (const words of [en, zh])
    for (const code of [...SERVER_CODES, ...CLIENT_CODES, "of_a_newer_server"]) {
      const said = explain({ code, message: "M" }, words, "http://s:1", "https://app.example");
      expect(said.words.length, code).toBeGreaterThan(4);
    }
});

test("an origin that is refused is named, with the flag that allows it", () => {
  const error = { code: "origin_refused", message: "" };
  expect(explain(error, en, "http://s:1", "https://app.example").words).toBe(
    "The server at http://s:1 does not accept pages from https://app.example; " +
      "start it with --cors-origins https://app.example.",
  );
});

const SIDES = ["http://s:1", "https://app.example"] as const;

test.each([
  ["connection", "This page has reached", "本页的"],
  ["address", "Your network address has reached", "你的网络地址的"],
  ["source", "This source has reached", "此来源的"],
  ["server", "The server has reached", "服务器的"],
  ["of_a_newer_server", "Too many streams run at once", "同时进行的文字流太多"],
  ["constructor", "Too many streams run at once", "同时进行的文字流太多"],
  [undefined, "Too many streams run at once", "同时进行的文字流太多"],
])("a limit of scope %s names whose it is, and when to try again", (scope, english, chinese) => {
  const error = { code: "too_many_streams", message: "M", retryAfter: 27.2, scope };
  const [inEnglish, inChinese] = [en, zh].map((words) => explain(error, words, ...SIDES));
  expect(inEnglish?.words).toMatch(new RegExp(`^${english}.*\\. Try again in 28 seconds\\.$`));
  expect(inChinese?.words).toMatch(new RegExp(`^${chinese}.*。请在28秒钟后重试。$`));
  expect([inEnglish?.detail, inChinese?.detail]).toEqual(["M", "M"]);
});

test("without a time, a limit says what to do", () => {
  const error = { code: "too_many_streams", message: "M", scope: "connection" };
  expect(explain(error, en, ...SIDES).words).toBe(
    "This page has reached its limit of streams. Stop one, or wait until one ends; then start again.",
  );
});

test("any error that says when to ask again is told with it", () => {
  const error = { code: "source_failed", message: "M", retryAfter: 0 };
  expect(explain(error, en, ...SIDES).words).toMatch(/Start it again\. Try again in 1 second\.$/);
});

test("a quota of one's own is told as that", () => {
  const error = { code: "too_many_streams", message: "M", retryAfter: 5, scope: "you" };
  expect(explain(error, en, ...SIDES).words).toBe(
    "You have reached your limit of streams. Try again in 5 seconds.",
  );
  const refused = { code: "rate_limited", message: "M", retryAfter: 5, scope: "you" };
  expect(explainConnection(refused, zh, ...SIDES).words).toBe(
    "你的连接太多。请关闭其他页面，或稍候。",
  );
});

test.each([
  [1, "first"],
  [10, "tenth"],
  [11, "11th"],
  [21, "21st"],
  [32, "32nd"],
  [113, "113th"],
])("place %d in a line is the %s", (place, words) => {
  expect(en.states.inLine(place)).toBe(`Waiting, ${words} in line…`);
  expect(zh.states.inLine(place)).toBe(`正在排队，第 ${place} 位……`);
});

test("a connection that is refused says whose limit it is; the countdown is beside it", () => {
  const error = { code: "rate_limited", message: "M", retryAfter: 5, scope: "address" };
  expect(explainConnection(error, en, ...SIDES)).toEqual({
    words: "Too many connections from your network address. Close other pages, or wait.",
    detail: "M",
  });
});

test.each([
  [0, "1 second"],
  [4.1, "5 seconds"],
  [120, "120 seconds"],
  [121, "3 minutes"],
  [7200, "120 minutes"],
  [7201, "3 hours"],
])("%d s are told as %s", (seconds, words) => {
  expect(inWords(seconds, "en")).toBe(words);
});
