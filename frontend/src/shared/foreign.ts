/**
 * A server that is not the page's own: whoever has made the link may be whoever runs it. It is named, and
 * asked about once, before anything is sent to it.
 */
import { checkedUrl } from "../client";
import { initialLanguage, TAGS, type Language } from "./language";
import { ownServer, type Home } from "./server";
import { recall, remember } from "./storage";
import { withoutFragment } from "./token";

interface Words {
  title: string;
  asks: (server: string) => string;
  yes: string;
  no: string;
}

const WORDS: Record<Language, Words> = {
  en: {
    title: "Another server",
    asks: (server) =>
      `The link has this page connect to ${server}, which is not its own server. Whoever runs that one ` +
      "sees what you type, and decides what you are shown. Is it one that you know?",
    yes: "Connect to it",
    no: "Use the page’s own server",
  },
  zh: {
    title: "另一个服务器",
    asks: (server) =>
      `该链接要让本页连接到 ${server}，它不是本页自己的服务器。它的运营者能看到您输入的内容，并决定您看到什么。` +
      "您认识这个服务器吗？",
    yes: "连接",
    no: "使用本页自己的服务器",
  },
};

/**
 * The origin of the server at `address`, if that is not the page's own; undefined: it is, or `address` is
 * none.
 *
 * @param own what `ownServer` says
 * @param page the page's address
 */
export function foreignOrigin(address: string, own: string, page: string): string | undefined {
  try {
    const { origin } = new URL(checkedUrl(address));
    const known = [new URL(page).origin, new URL(checkedUrl(own)).origin];
    return known.includes(origin) ? undefined : origin;
  } catch {
    return undefined;
  }
}

/** The page's address with its own server, and without what was meant for the other. */
export function withOwnServer(page: string): string {
  const link = new URL(withoutFragment(withoutFragment(page, "token"), "grant"));
  for (const name of ["server", "watch"]) link.searchParams.delete(name);
  return link.href;
}

/**
 * Wait until the reader wants the server at `address`, if it is not the page's own. At once where that was
 * said before, for this origin. It never ends where it is not wanted: the page is left for its own server.
 */
export async function confirmServer(address: string, home: Home): Promise<void> {
  const origin = foreignOrigin(address, ownServer(location, home), location.href);
  if (origin === undefined) return;
  const key = `textstream server ${origin}`;
  if (recall(key) !== undefined) return;
  if (await asked(origin)) {
    remember(key, "confirmed");
    return;
  }
  location.replace(withOwnServer(location.href));
  await new Promise<never>(() => undefined);
}

/** Ask in a dialog of the browser's own, which is above all else. To close it is to say no. */
function asked(origin: string): Promise<boolean> {
  const language = initialLanguage();
  const words = WORDS[language];
  const dialog = document.createElement("dialog");
  dialog.className = "foreign";
  dialog.lang = TAGS[language];
  const title = document.createElement("h2");
  title.id = "foreign-title";
  title.textContent = words.title;
  dialog.setAttribute("aria-labelledby", title.id);
  const question = document.createElement("p");
  question.textContent = words.asks(origin);
  const form = document.createElement("form");
  form.method = "dialog";
  for (const value of ["no", "yes"] as const) {
    const button = document.createElement("button");
    button.value = value;
    button.textContent = words[value];
    form.append(button);
  }
  dialog.append(title, question, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
