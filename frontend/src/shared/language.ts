import { recall, remember } from "./storage";

/** The languages that the pages speak. */
export type Language = "en" | "zh";

const KEY = "textstream app language";

/** The tag for `lang` and for numbers and dates. */
export const TAGS: Record<Language, string> = { en: "en", zh: "zh-CN" };

/** The first of the browser's languages that the pages speak; English otherwise. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const tag of languages) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "en" || primary === "zh") return primary;
  }
  return "en";
}

/** The language that was chosen here before, else the browser's. */
export function initialLanguage(): Language {
  const chosen = recall(KEY);
  return chosen === "en" || chosen === "zh" ? chosen : preferredLanguage(navigator.languages);
}

export function chooseLanguage(language: Language): void {
  remember(KEY, language);
}
