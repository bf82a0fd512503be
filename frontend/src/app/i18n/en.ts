/** Every text of the page, in English. The other languages have the same keys: the type says so. */
import type { EndReason, Unit } from "../../client";
import { LIMITS_EN } from "../../shared/limits";
import type { FieldProblem } from "../model/schema";

export const en = {
  language: "English",
  otherServer: "Not this page’s own server",
  title: "textstream",
  settings: "Settings",
  languageLabel: "Language",
  theme: "Appearance",
  themes: { system: "System", light: "Light", dark: "Dark" },
  close: "Close",

  welcome: "Ask, and watch the answer arrive.",
  welcomeMore:
    "Character by character, and exact: cut the connection, reload, share it. Nothing is lost.",
  samples: [
    "Why is the sky blue?",
    "Tell me a story about a lighthouse.",
    "Write a short letter to the sea.",
  ],
  builtIn: "The built-in sample, in many scripts",
  emptyPane: "The next answer appears here.",

  broken: "This part of the page has failed. The stream itself goes on at the server.",
  tryAgain: "Show it again",
  notLoaded: "A part of the page could not be loaded. Reload the page: the streams are kept.",

  prompt: "Prompt",
  promptHint: "Ask something…",
  textHint: "Type a text to be streamed, or leave it empty for the sample…",
  start: "Start",
  startAll: (count: number) => `Start all ${count}`,
  stop: "Stop",
  stopAll: "Stop all",
  addPane: "Add a pane",
  startsSoon: "Starts as soon as the server answers…",
  needsPrompt: "Type a prompt first: this source needs one.",

  pane: (number: number) => `Pane ${number}`,
  closePane: "Close this pane",
  source: "Source",
  unavailable: (name: string) => `${name} (not available)`,
  whyUnavailable: (name: string) => `Why is ${name} not available?`,
  speed: "Speed",
  automatic: "automatic",
  noLimit: "no limit",
  perSecond: (rate: string) => `${rate}/s`,
  unit: "Unit",
  units: { char: "Characters", word: "Words", token: "Tokens" } satisfies Record<Unit, string>,
  view: "Show as",
  views: { plain: "Plain text", markdown: "Markdown" },
  options: "Options",
  params: (source: string) => `Parameters of ${source}`,
  noParams: "This source has no parameters.",
  chooseNone: "Not set",
  reset: "Back to the defaults",
  problems: {
    required: "A value is needed.",
    number: "This must be a number.",
    integer: "This must be a whole number.",
    low: "This is too small.",
    high: "This is too large.",
    long: "This is too long.",
    json: "This must be JSON.",
  } satisfies Record<FieldProblem, string>,
  range: (low: string, high: string) => `${low} to ${high}`,

  text: (pane: number) => `Text of pane ${pane}`,
  newest: "Newest text ↓",
  pause: "Pause",
  continue: "Continue",
  again: "Start again",
  promptCut: "Only the beginning of this prompt is kept: it cannot be started again from here.",
  copy: "Copy",
  copyCode: "Copy this code",
  copied: "Copied",
  notCopied: "The browser does not allow copying here.",
  save: "Save",
  share: "Share",
  leave: "Leave",

  states: {
    waiting: "Waiting for the first character…",
    inLine: (position: number) => `Waiting, ${ordinal(position)} in line…`,
    streaming: "Streaming",
    paused: "Paused",
    reconnecting: "Goes on when the connection is back.",
    stopping: "Stopping…",
    failed: "Not complete.",
    notStarted: "Not started.",
    left: "You have left. It goes on for the others.",
    leftEnded: "Stopped reading. The stream had ended before.",
  },
  ended: {
    completed: "Complete",
    length: "Complete, at the limit of its length",
    stopped: "Stopped",
    replaced: "Replaced by another one",
    error: "The source broke off",
    expired: "Ended: nobody had read it for too long",
    shutdown: "Ended: the server went down",
  } satisfies Record<EndReason, string>,
  verified: (how: string) => `${how}, verified.`,
  unverified: (how: string) => `${how}.`,
  watching: "You watch a stream of somebody else.",

  figures: "Figures",
  first: "First character",
  perSecondName: { char: "Characters/s", word: "Words/s", token: "Tokens/s" },
  gapP50: "Gap p50",
  gapP99: "Gap p99",
  resumes: "Resumes",
  received: { char: "Characters", word: "Words", token: "Tokens" },
  milliseconds: (value: string) => `${value} ms`,
  seconds: (value: string) => `${value} s`,
  chart: "Gaps over time",
  chartSummary: (count: string, p50: string, p99: string) =>
    `Time between arrivals, ${count} gaps: half of them up to ${p50}, all but one in a hundred up to ${p99}.`,
  chartEmpty: "The chart begins with the second arrival.",

  connection: {
    connecting: "Connecting…",
    connected: "Connected",
    draining: "The server goes down",
    reconnecting: "Connection lost",
    closed: "Closed",
  },
  over: { websocket: "WebSocket", polling: "polling" } as Record<string, string>,
  cut: "Cut the connection",
  cutHint: "Breaks the connection for 4 seconds, to show that no character is lost.",
  lost: "The connection is lost. What you read goes on where it stopped.",
  tryingIn: (seconds: number) => `Trying again in ${seconds} s`,
  trying: "Trying now…",
  tryNow: "Try now",
  draining: (seconds: number) =>
    `The server goes down. Streams that run may finish; new ones from about ${seconds} s from now.`,

  history: "History",
  historyEmpty: "The streams that you start appear here. They are listed in this browser only.",
  historyKept: "Listed in this browser only. The server forgets a text some minutes after its end.",
  replaySpeed: "Speed of replays",
  open: "Open",
  replay: "Replay",
  remove: "Remove",
  removeAll: "Remove all",
  noPrompt: "(no prompt)",
  watched: "(watched)",
  runs: "Running when last seen",
  gone: "Forgotten by the server",
  failedShort: "Failed",

  shareTitle: "Share this stream",
  shareMore:
    "Whoever has this link can read the stream live, until it expires. Only you can stop it.",
  shareFor: "The link is good for",
  shareTimes: { hour: "1 hour", day: "1 day", week: "7 days" },
  endSharing: "End sharing",
  shareEnded: "Nobody else can read this stream any more.",
  link: "Link",
  viewers: (count: number) => (count === 1 ? "1 reader" : `${count} readers`),
  watchTitle: "Watch a stream",
  watchLive: (source: string) => `A stream from “${source}” is running.`,
  watchEnded: (source: string) =>
    `A stream from “${source}” has ended. Its text can still be read.`,
  fromStart: "From the start",
  fromNow: "From now on",
  notNow: "Not now",
  looking: "Looking for the stream…",

  shortcuts: "Keyboard shortcuts",
  shortcutList: {
    enter: "Start",
    newline: "New line",
    escape: "Stop",
    help: "This list",
  },
  typedAnywhere: "What you type goes to the prompt, wherever the focus is. No letter is a command.",

  limits: LIMITS_EN,
  errors: {
    origin: (server: string, origin: string) =>
      `The server at ${server} does not accept pages from ${origin}; start it with --cors-origins ${origin}.`,
    unreachable: (server: string) =>
      `No server answers at ${server}. Start it with “make run”, or give its address with ?server=.`,
    sourceUnavailable: "This source is not installed on the server.",
    unknownSource: "The server has no source of this name. Choose another one.",
    unknownStream: "The server no longer has this stream. Start it again.",
    offsetGone: "The server has trimmed this part of the text. Start it again.",
    sourceFailed: "The source broke while it generated. Start it again.",
    shuttingDown: "The server goes down and takes no new streams. Try again in a moment.",
    unauthorized:
      "The server asks who you are. Sign in again: open the link with the token that you were given.",
    forbidden: "The server does not allow this. Ask whoever runs it.",
    internal: "The server made a mistake. Try again; its log says more.",
    mismatch: "The text that arrived is not the text that the server sent. Start it again.",
    invalid: "The server does not accept this.",
    protocol: "Page and server do not understand each other. Use the same release of both.",
  },
};

export type Words = typeof en;

const ORDINALS = [
  ...["first", "second", "third", "fourth", "fifth"],
  ...["sixth", "seventh", "eighth", "ninth", "tenth"],
];
const ENDINGS: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };
const RULES = new Intl.PluralRules("en", { type: "ordinal" });

/** "third" for 3, "21st" for 21. */
function ordinal(number: number): string {
  return ORDINALS[number - 1] ?? `${number}${ENDINGS[RULES.select(number)] ?? "th"}`;
}
