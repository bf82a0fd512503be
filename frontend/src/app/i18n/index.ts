import { createContext, useContext } from "react";
import { recall, remember } from "../model/storage";
import { en, type Words } from "./en";
import { zh } from "./zh";

export type { Words } from "./en";

export const LANGUAGES = { en, zh } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "textstream app language";

/** The first of the browser's languages that the page speaks; English otherwise. */
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

/** The tag for `lang` and for numbers and dates. */
export const TAGS: Record<Language, string> = { en: "en", zh: "zh-CN" };

export const WordsContext = createContext<{ words: Words; tag: string }>({ words: en, tag: "en" });

export function useWords(): Words {
  return useContext(WordsContext).words;
}

/** For numbers and dates. */
export function useTag(): string {
  return useContext(WordsContext).tag;
}
