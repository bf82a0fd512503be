/** The page's texts: the same in every language, and none forgotten. */
import { expect, test } from "vitest";
import { SERVER_CODES, CLIENT_CODES } from "../../src/client/errors";
import { en } from "../../src/app/i18n/en";
import { explain } from "../../src/app/i18n/explain";
import { zh } from "../../src/app/i18n/zh";
import { preferredLanguage } from "../../src/shared/language";

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
