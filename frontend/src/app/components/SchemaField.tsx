import { useId } from "react";
import { useWords, type Words } from "../i18n";
import type { Field, FieldValue } from "../model/schema";

interface SchemaFieldProps {
  field: Field;
  value: FieldValue;
  /** What is wrong with it, in words. */
  problem: string | undefined;
  onChange: (value: FieldValue) => void;
}

/** One param: its control, what it means, and what is wrong with it. */
export function SchemaField({ field, value, problem, onChange }: SchemaFieldProps) {
  const words = useWords();
  const id = useId();
  const about = `${id}-about`;
  const shared = {
    id,
    "aria-describedby": about,
    "aria-invalid": problem !== undefined,
  };
  const hint = [field.description, limits(field, words)].filter(Boolean).join(" ");
  return (
    <div className="param" data-kind={field.kind}>
      <label htmlFor={id}>{field.title}</label>
      {typeof value === "boolean" ? (
        <input
          {...shared}
          type="checkbox"
          checked={value}
          onChange={(event) => {
            onChange(event.target.checked);
          }}
        />
      ) : (
        <Control field={field} shared={shared} value={value} onChange={onChange} />
      )}
      <p id={about} className="about">
        {/* The server's own words; the page cannot know them in other languages. */}
        {hint}
        {problem !== undefined && <strong role="alert"> {problem}</strong>}
      </p>
    </div>
  );
}

interface ControlProps {
  field: Field;
  shared: { id: string; "aria-describedby": string; "aria-invalid": boolean };
  value: string;
  onChange: (value: string) => void;
}

function Control({ field, shared, value, onChange }: ControlProps) {
  const words = useWords();
  const { kind, minimum, maximum, maxLength, choices, optional } = field;
  const changed = (event: { target: { value: string } }): void => {
    onChange(event.target.value);
  };
  if (kind === "choice")
    return (
      <select {...shared} value={value} onChange={changed}>
        {(optional || value === "") && <option value="">{words.chooseNone}</option>}
        {choices?.map((choice) => (
          <option key={String(choice)}>{String(choice)}</option>
        ))}
      </select>
    );
  if (kind === "json" || (kind === "string" && (maxLength ?? 0) > 200))
    return <textarea {...shared} rows={2} dir="auto" value={value} onChange={changed} />;
  if (kind === "string") return <input {...shared} dir="auto" value={value} onChange={changed} />;
  return (
    <input
      {...shared}
      type="number"
      inputMode="decimal"
      min={minimum}
      max={maximum}
      step={kind === "integer" ? 1 : "any"}
      placeholder={field.initial === "" ? words.chooseNone : String(field.initial)}
      value={value}
      onChange={changed}
    />
  );
}

function limits({ kind, minimum, maximum, above, below }: Field, words: Words): string {
  if (kind !== "number" && kind !== "integer") return "";
  const low = minimum ?? above;
  const high = maximum ?? below;
  return low === undefined || high === undefined
    ? ""
    : `(${words.range(String(low), String(high))})`;
}
