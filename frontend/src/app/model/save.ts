import type { View } from "./pane";

/** Hand the text to the browser as a file: .txt, or .md when it is shown as Markdown. */
export function save(text: string, name: string, view: View): void {
  const type = view === "markdown" ? "text/markdown" : "text/plain";
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name}.${view === "markdown" ? "md" : "txt"}`;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
