import { useState } from "react";
import type { Language } from "../../shared/language";
import { chooseTheme, initialTheme, THEMES } from "../../shared/theme";
import { Choice } from "../../shared/components/Choice";
import { LANGUAGES, useWords } from "../i18n";

interface PreferencesProps {
  language: Language;
  onLanguage: (language: Language) => void;
}

/** Language and appearance, in a popover under the button that names it. */
export function Preferences({ language, onLanguage }: PreferencesProps) {
  const words = useWords();
  const [theme, setTheme] = useState(initialTheme);
  return (
    <div id="preferences" popover="auto" role="group" aria-label={words.settings}>
      <Choice
        label={words.languageLabel}
        name="language"
        value={language}
        options={[
          ["en", LANGUAGES.en.language],
          ["zh", LANGUAGES.zh.language],
        ]}
        onChange={onLanguage}
      />
      <Choice
        label={words.theme}
        name="theme"
        value={theme}
        options={THEMES.map((known) => [known, words.themes[known]])}
        onChange={(chosen) => {
          chooseTheme(chosen);
          setTheme(chosen);
        }}
      />
    </div>
  );
}
