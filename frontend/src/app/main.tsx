import { createRoot } from "react-dom/client";
import { StreamClient } from "../client";
import { WrongAddress } from "../shared/components/WrongAddress";
import { chosenTransports, serverAddress } from "../shared/server";
import { pageStorage } from "../shared/storage";
import { initialTheme, showTheme } from "../shared/theme";
import { App } from "./App";
import { Boundary } from "./components/Boundary";
import type { Parts } from "./context";
import { History } from "./model/history";
import { PaneStore } from "./model/paneStore";
import { Workspace } from "./model/workspace";

const address = serverAddress(location);

function parts(): Parts | undefined {
  let client;
  try {
    const transports = chosenTransports(location.search);
    client = new StreamClient(address, transports && { transports });
  } catch {
    return undefined;
  }
  const history = new History(pageStorage("localStorage"), client.url);
  window.addEventListener("storage", history.changedElsewhere);
  const store = new PaneStore(pageStorage("sessionStorage"), client.url);
  return { client, history, workspace: new Workspace(client, history, store) };
}

showTheme(initialTheme());
const made = parts();
const place = document.getElementById("app");
if (place)
  createRoot(place).render(
    <Boundary>{made ? <App parts={made} /> : <WrongAddress address={address} />}</Boundary>,
  );
