import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { useWords } from "../i18n";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog: the browser's own, which keeps the focus, and gives it back. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const words = useWords();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  // Not useEffect: it is undone when the element has gone, and no browser then gives back the focus.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        // The backdrop is the dialog itself; what is in it is in its child.
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div className="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
            {words.close}
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
