import type { SourceInfo } from "../../client";
import { useWords } from "../i18n";
import { fieldsOf, paramsOf, type FieldValues } from "../model/schema";
import { SchemaField } from "./SchemaField";

interface SchemaFormProps {
  source: SourceInfo;
  values: FieldValues;
  /** What the server says, by the name of the field. */
  errors: Readonly<Record<string, string>>;
  onChange: (values: FieldValues) => void;
}

/** The params of a source, as its JSON schema describes them. */
export function SchemaForm({ source, values, errors, onChange }: SchemaFormProps) {
  const words = useWords();
  const fields = fieldsOf(source.params);
  const { problems } = paramsOf(fields, values);
  if (fields.length === 0) return <p className="note">{words.noParams}</p>;
  return (
    <fieldset className="params">
      <legend>{words.params(source.name)}</legend>
      {fields.map((field) => {
        const problem = problems[field.name];
        return (
          <SchemaField
            key={field.name}
            field={field}
            value={values[field.name] ?? field.initial}
            problem={problem ? words.problems[problem] : errors[field.name]}
            onChange={(value) => {
              onChange({ ...values, [field.name]: value });
            }}
          />
        );
      })}
      <button
        type="button"
        className="quiet"
        disabled={Object.keys(values).length === 0}
        onClick={() => {
          onChange({});
        }}
      >
        {words.reset}
      </button>
    </fieldset>
  );
}
