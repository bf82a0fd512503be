import { recall, remember } from "./storage";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "textstream app theme";

export function initialTheme(): Theme {
  const chosen = recall(KEY);
  return THEMES.find((theme) => theme === chosen) ?? "system";
}

/** Show the page so; the style sheet does the rest. */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  remember(KEY, theme);
  showTheme(theme);
}
