import { createContext, useContext } from "react";
import type { Language } from "../../shared/language";
import { en, type Words } from "./en";
import { zh } from "./zh";

export type { Words } from "./en";

export const LANGUAGES: Record<Language, Words> = { en, zh };

export const WordsContext = createContext<{ words: Words; tag: string }>({ words: en, tag: "en" });

export function useWords(): Words {
  return useContext(WordsContext).words;
}

/** For numbers and dates. */
export function useTag(): string {
  return useContext(WordsContext).tag;
}
