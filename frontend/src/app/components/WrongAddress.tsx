import { initialLanguage, LANGUAGES } from "../i18n";

/** All that there is to see when `?server=` is no address. */
export function WrongAddress({ address }: { address: string }) {
  const words = LANGUAGES[initialLanguage()];
  return (
    <main className="fatal">
      <h1>{words.title}</h1>
      <p role="alert">{words.errors.address(address)}</p>
    </main>
  );
}
