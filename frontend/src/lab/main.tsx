import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { WrongAddress } from "../shared/components/WrongAddress";
import { confirmServer } from "../shared/foreign";
import { initialLanguage, TAGS } from "../shared/language";
import { serverAddress } from "../shared/server";
import { initialTheme, showTheme } from "../shared/theme";
import { Lab } from "./Lab";
import { LabLink } from "./link";
import { LAB_WORDS, LabWords } from "./words";

const language = initialLanguage();
document.documentElement.lang = TAGS[language];
document.title = `${LAB_WORDS[language].title} · textstream`;
showTheme(initialTheme());
const server = serverAddress(location, "../");

await confirmServer(server, "../");

function page(): ReactNode {
  let link;
  try {
    link = new LabLink(server);
  } catch {
    return <WrongAddress address={server} />;
  }
  link.open(["websocket", "polling"]);
  return (
    <LabWords value={LAB_WORDS[language]}>
      <Lab link={link} />
    </LabWords>
  );
}

const place = document.getElementById("lab");
if (place) createRoot(place).render(page());
