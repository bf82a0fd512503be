import { initialLanguage, type Language } from "../language";

const WORDS: Record<Language, (address: string) => string> = {
  en: (address) => `“${address}” is no address of a server. It looks like http://127.0.0.1:5002.`,
  zh: (address) => `“${address}”不是服务器地址。正确的例子：http://127.0.0.1:5002。`,
};

/** All that there is to see when `?server=` is no address. */
export function WrongAddress({ address }: { address: string }) {
  return (
    <main className="fatal">
      <h1>textstream</h1>
      <p role="alert">{WORDS[initialLanguage()](address)}</p>
    </main>
  );
}
