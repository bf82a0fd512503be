import { createRoot } from "react-dom/client";
import { StreamClient } from "../client";
import { WrongAddress } from "../shared/components/WrongAddress";
import { confirmServer } from "../shared/foreign";
import { chosenTransports, ownServer, serverAddress, type Home } from "../shared/server";
import { pageStorage } from "../shared/storage";
import { followTokens, takeToken } from "../shared/token";
import { initialTheme, showTheme } from "../shared/theme";
import { typeInto } from "../shared/typing";
import { App } from "./App";
import { Boundary } from "./components/Boundary";
import type { Parts } from "./context";
import { shownTo, takeGrant } from "./model/grants";
import { History, MOST } from "./model/history";
import { PaneStore } from "./model/paneStore";
import { watchedId } from "./model/share";
import { Workspace } from "./model/workspace";

const HOME: Home = "../";
const address = serverAddress(location, HOME);

function parts(): Parts | undefined {
  const local = pageStorage("localStorage");
  // Where earlier releases had the history: nobody could remove the prompts in it any more.
  local?.removeItem("textstream app history");
  takeToken(address);
  takeGrant(address, watchedId(location.search));
  let client: StreamClient;
  try {
    const transports = chosenTransports(location.search);
    client = new StreamClient(address, {
      // Shared by the tabs, and there on the next visit: the history.
      storage: local ?? null,
      remember: MOST,
      auth: () => shownTo(address),
      ...(transports && { transports }),
    });
  } catch {
    return undefined;
  }
  const { url } = client;
  followTokens(url, () => {
    client.retryNow();
  });
  const history = new History(client.store);
  const store = new PaneStore(pageStorage("sessionStorage"), client.url);
  const workspace = new Workspace(client, history, store);
  const early = document.querySelector<HTMLTextAreaElement>("#app #prompt") ?? undefined;
  return { client, history, workspace, own: ownServer(location, HOME), early };
}

showTheme(initialTheme());
await confirmServer(address, HOME);
typeInto(() => document.querySelector<HTMLElement>("#prompt"));
const made = parts();
const place = document.getElementById("app");
if (place)
  createRoot(place).render(
    <Boundary>{made ? <App parts={made} /> : <WrongAddress address={address} />}</Boundary>,
  );
