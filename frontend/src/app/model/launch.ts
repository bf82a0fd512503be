import type { Sources } from "../../client";
import type { Pane } from "./pane";
import { fieldsOf, paramsOf, type FieldProblem } from "./schema";
import { chosen } from "./chosen";
import type { Asked } from "./workspace";

export type Launch =
  | { asked: Asked }
  | { problem: "prompt" }
  | { problem: "param"; title: string; what: FieldProblem };

/** What a pane will ask for with this prompt, or what keeps it from asking. */
export function launch(pane: Pane, sources: Sources | undefined, prompt: string): Launch {
  const source = chosen(sources, pane.settings.source);
  if (source?.needs_prompt && prompt.trim() === "") return { problem: "prompt" };
  const name = source?.name ?? pane.settings.source;
  const fields = fieldsOf(source?.params);
  const { params, problems } = paramsOf(fields, pane.settings.values[name] ?? {});
  for (const { name, title } of fields) {
    const what = problems[name];
    if (what) return { problem: "param", title, what };
  }
  return { asked: { prompt, source: name, params } };
}
