/** What is typed goes to the prompt: from the first key on, wherever the focus is. */

/** Of inputs, those that letters do nothing to. */
const WITHOUT_LETTERS = ["range", "radio", "checkbox", "button", "submit", "reset"];

/** The values of `key` that are names (UI Events), and white space. A character may be several code points. */
const NAMED = /^(?:\s*|[A-Z][A-Za-z0-9]+)$/;

/** Whether an input method has the key: Enter then accepts a word, and Escape gives it up. */
export function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before it tells of the key that ended it; the code 229 still says so
  // (UI Events, "keyCode"). There is nothing newer that does.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return event.isComposing || event.keyCode === 229;
}

/**
 * Let what is typed outside of fields go to the field that `find` finds, as long as the page lives. A
 * key that means something where the focus is stays there: the space bar presses a button and turns
 * a page, and a dialog has its own.
 */
export function typeInto(find: () => HTMLElement | null): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || !isText(event) || takesText(event.target)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    // The browser puts the character where the focus is when the key's event is over.
    find()?.focus();
  });
}

/**
 * Give `field` the focus as the page begins, unless something has it already, or the keyboard is one
 * on the screen, which would cover half of the page that one has come for.
 *
 * With the next frame: Chromium complains of a script that comes before an `autofocus`. `atOnce` where
 * the field takes the place of one that had the focus: not a character is to be lost between them.
 */
export function focusAtFirst(field: HTMLTextAreaElement, atOnce = false): void {
  const focus = (): void => {
    const { activeElement } = document;
    if (field.value === "" && onlyTouched()) {
      if (activeElement === field) field.blur(); // `autofocus` asks for no pointer
    } else if (activeElement === null || activeElement === document.body) {
      field.focus({ preventScroll: true });
    }
  };
  if (atOnce) focus();
  else requestAnimationFrame(focus);
}

/**
 * Whether Enter was pressed in `field` before the page's script ran: the field took it for the end of
 * a line. Then the text is without that line's end.
 *
 * Only in a page that was come to: what a reload brings back was not typed now.
 */
export function enteredEarly(field: HTMLTextAreaElement): boolean {
  const [how] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (how?.type !== "navigate" || !field.value.endsWith("\n")) return false;
  field.value = field.value.slice(0, -1);
  return true;
}

function onlyTouched(): boolean {
  return matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
}

/** Whether the key is a character, or begins one: a dead key, or an input method's. */
function isText(event: KeyboardEvent): boolean {
  const { key } = event;
  const chord = event.ctrlKey || event.metaKey || event.altKey;
  // With AltGr, Windows says Ctrl and Alt as well.
  if (chord && !event.getModifierState("AltGraph")) return false;
  return key === "Dead" || key === "Process" || !NAMED.test(key);
}

function takesText(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !WITHOUT_LETTERS.includes(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement || // letters choose in it
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
