import type { SourceInfo, Unit } from "../../client";
import { Choice } from "../../shared/components/Choice";
import { useApp } from "../context";
import { useWords } from "../i18n";
import type { Pane, View } from "../model/pane";
import { SchemaForm } from "./SchemaForm";

const UNITS: readonly Unit[] = ["char", "word", "token"];
const VIEWS: readonly View[] = ["plain", "markdown"];

interface PaneOptionsProps {
  id: string;
  pane: Pane;
  source: SourceInfo | undefined;
  /** What the server says of the params, by name. */
  errors: Readonly<Record<string, string>>;
}

export function PaneOptions({ id, pane, source, errors }: PaneOptionsProps) {
  const words = useWords();
  const { workspace, sources } = useApp();
  const { key, settings } = pane;
  const missing = sources?.sources.filter(({ available }) => !available) ?? [];
  return (
    <div id={id} className="options">
      <div className="switches">
        <Choice
          label={words.unit}
          name={`${key}-unit`}
          value={settings.unit}
          options={UNITS.map((unit) => [unit, words.units[unit]])}
          onChange={(unit) => {
            workspace.configure(key, { unit });
          }}
        />
        <Choice
          label={words.view}
          name={`${key}-view`}
          value={settings.view}
          options={VIEWS.map((view) => [view, words.views[view]])}
          onChange={(view) => {
            workspace.configure(key, { view });
          }}
        />
      </div>
      {source && (
        <SchemaForm
          source={source}
          values={settings.values[source.name] ?? {}}
          errors={errors}
          onChange={(values) => {
            workspace.configure(key, { values: { ...settings.values, [source.name]: values } });
          }}
        />
      )}
      {missing.map(({ name, error }) => (
        <details key={name} className="missing">
          <summary>{words.whyUnavailable(name)}</summary>
          <p lang="en" dir="auto">
            {error}
          </p>
        </details>
      ))}
    </div>
  );
}
