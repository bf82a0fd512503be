import { useApp } from "../context";
import { useWords } from "../i18n";
import { chosen } from "../model/chosen";
import { focusText } from "../shortcuts";

/** What one sees first: what this is, and things to try. */
export function Welcome({ paneKey }: { paneKey: string }) {
  const words = useWords();
  const { workspace, sources } = useApp();
  // Prompts are for a model; the source "text" would only repeat them.
  const model = chosen(sources, "")?.live === true;
  const ask = (source: string, prompt: string): void => {
    workspace.configure(paneKey, { source });
    workspace.start(paneKey, { source, prompt, params: {} });
    focusText(paneKey); // The button has gone.
  };
  return (
    <div className="welcome">
      <h2>{words.welcome}</h2>
      <p>{words.welcomeMore}</p>
      <ul>
        {model &&
          words.samples.map((sample) => (
            <li key={sample}>
              <button
                type="button"
                onClick={() => {
                  ask(sources?.preferred ?? "", sample);
                }}
              >
                {sample}
              </button>
            </li>
          ))}
        <li>
          <button
            type="button"
            onClick={() => {
              ask("text", "");
            }}
          >
            {words.builtIn}
          </button>
        </li>
      </ul>
    </div>
  );
}
