import { createRoot } from "react-dom/client";
import { initialLanguage, TAGS } from "../app/i18n";
import { serverAddress } from "../app/model/server";
import { initialTheme, showTheme } from "../app/model/theme";
import { Lab } from "./Lab";
import { LabLink } from "./link";
import { LAB_WORDS, LabWords } from "./words";

const language = initialLanguage();
document.documentElement.lang = TAGS[language];
document.title = `${LAB_WORDS[language].title} · textstream`;
showTheme(initialTheme());
const server = serverAddress(location);
const link = new LabLink(server);
link.open(["websocket", "polling"]);
const place = document.getElementById("lab");
if (place)
  createRoot(place).render(
    <LabWords value={LAB_WORDS[language]}>
      <Lab link={link} server={server} />
    </LabWords>,
  );
