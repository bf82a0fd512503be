import { useWords, type Words } from "../i18n";
import { Dialog } from "./Dialog";

const KEYS: readonly [keyof Words["shortcutList"], string][] = [
  ["enter", "Enter"],
  ["newline", "Shift Enter"],
  ["escape", "Esc"],
  ["help", "Ctrl /"],
];

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const words = useWords();
  return (
    <Dialog title={words.shortcuts} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([name, keys]) => (
          <div key={name}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words.shortcutList[name]}</dd>
          </div>
        ))}
      </dl>
      <p className="note">{words.typedAnywhere}</p>
    </Dialog>
  );
}
