/** What it means for a person that a limit was reached: whose it is, and when to try again. */
import type { StreamError } from "../client";

/** What is known of a limit that was reached. */
export type Limit = Pick<StreamError, "code"> & Partial<Pick<StreamError, "scope" | "retryAfter">>;

export interface LimitWords {
  /** Streams that are not started, by whose limit it is. */
  streams: Record<"you" | "connection" | "address" | "source" | "server", string>;
  /** Connections that are refused. A page has one; sources have none. */
  connections: Record<"you" | "address" | "server", string>;
  /** Where it is not said whose limit it is. */
  tooMany: string;
  tooOften: string;
  /** What to do where it is not said when to try again. */
  stopOne: string;
  waitAMoment: string;
  /** What to do in so many seconds. */
  againIn: (seconds: number) => string;
}

export const LIMITS_EN: LimitWords = {
  streams: {
    you: "You have reached your limit of streams.",
    connection: "This page has reached its limit of streams.",
    address: "Your network address has reached its limit of streams.",
    source: "This source has reached its limit of streams.",
    server: "The server has reached its limit of streams.",
  },
  connections: {
    you: "You have too many connections. Close other pages, or wait.",
    address: "Too many connections from your network address. Close other pages, or wait.",
    server: "The server has as many connections as it can take.",
  },
  tooMany: "Too many streams run at once.",
  tooOften: "Too many requests.",
  stopOne: "Stop one, or wait until one ends; then start again.",
  waitAMoment: "Wait a moment, then try again.",
  againIn: (seconds) => `Try again in ${inWords(seconds, "en")}.`,
};

export const LIMITS_ZH: LimitWords = {
  streams: {
    you: "你的文字流已达上限。",
    connection: "本页的文字流已达上限。",
    address: "你的网络地址的文字流已达上限。",
    source: "此来源的文字流已达上限。",
    server: "服务器的文字流已达上限。",
  },
  connections: {
    you: "你的连接太多。请关闭其他页面，或稍候。",
    address: "来自你的网络地址的连接太多。请关闭其他页面，或稍候。",
    server: "服务器的连接数已达上限。",
  },
  tooMany: "同时进行的文字流太多。",
  tooOften: "请求太多。",
  stopOne: "请停止一个或等一个结束，然后重新开始。",
  waitAMoment: "请稍候再试。",
  againIn: (seconds) => `请在${inWords(seconds, "zh-CN")}后重试。`,
};

/** Why no stream was started; undefined for an error that is no limit. */
export function streamLimit(error: Limit, words: LimitWords): string | undefined {
  const { code, retryAfter } = error;
  if (code !== "too_many_streams" && code !== "rate_limited") return undefined;
  const tooMany = code === "too_many_streams";
  const why = of(words.streams, error) ?? (tooMany ? words.tooMany : words.tooOften);
  const cure = tooMany ? words.stopOne : words.waitAMoment;
  return sentences(why, retryAfter === undefined ? cure : words.againIn(retryAfter));
}

/** Why there is no connection for now; undefined for an error that is no limit. */
export function connectionLimit(error: Limit, words: LimitWords): string | undefined {
  if (error.code !== "rate_limited") return undefined;
  return of(words.connections, error) ?? words.tooOften;
}

/** Two sentences, one behind the other. Chinese has its space in the full stop. */
export function sentences(first: string, second: string): string {
  return first + (first.endsWith("。") ? "" : " ") + second;
}

/** A wait, never shorter than it is: "1 second", "28 seconds", "5 minutes", "3 hours". */
export function inWords(seconds: number, tag: string): string {
  const [unit, length] =
    seconds <= 120 ? ["second", 1] : seconds <= 7200 ? ["minute", 60] : ["hour", 3600];
  const format = new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.max(1, Math.ceil(seconds / length)));
}

/** A newer server may name a scope that has no words here. */
function of(words: Record<string, string>, { scope }: Limit): string | undefined {
  return scope !== undefined && Object.hasOwn(words, scope) ? words[scope] : undefined;
}
