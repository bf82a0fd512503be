import type { Tokens } from "marked";
import { createContext, useContext, type ReactNode } from "react";

/** What is offered beside a block of code, such as a button that copies it. */
export type CodeActions = (code: string) => ReactNode;

export const CodeActionsContext = createContext<CodeActions | undefined>(undefined);

/** The attributes of a block that is in no other. */
export interface Outermost {
  dir?: "auto";
  "data-continued"?: true | undefined;
}

interface CodeBlockProps {
  token: Tokens.Code;
  /** Whether it is only a part of the code, which was too long for one block. */
  part?: boolean;
  outermost: Outermost;
}

/** Code, with the name of its language where the text gives one. */
export function CodeBlock({ token, part = false, outermost }: CodeBlockProps) {
  const offer = useContext(CodeActionsContext);
  const actions = part ? undefined : offer?.(token.text);
  // Once it is complete: until its line ends, "p" may become "python".
  const [language = ""] = token.raw.includes("\n") ? (token.lang ?? "").split(/[\s,{:]/u, 1) : [];
  return (
    // Code is read from left to right, and by keyboard when it is wide.
    <div {...outermost} dir="ltr" className="code">
      {(actions !== undefined || language) && (
        <div className="code-head">
          <span>{language.slice(0, 32)}</span>
          {actions}
        </div>
      )}
      <pre tabIndex={0}>
        <code>{token.text}</code>
      </pre>
    </div>
  );
}
