/** The lab's texts, in both languages. Names of events are code, and the same in all. */
import { createContext, useContext } from "react";

const en = {
  title: "Connection lab",
  about:
    "Try your page, your proxy and your network, before any text is streamed. Every button sends one event; the log shows it, its acknowledgement and what comes back. What you send to others reaches those at your own address, unless the server's lab is public.",
  status: {
    connecting: "Connecting…",
    connected: "Connected",
    disconnected: "Disconnected",
    refused: "Origin not accepted",
    absent: "No server",
    off: "Lab switched off",
  },
  refused: (origin: string) =>
    `The server does not accept pages from ${origin}; start it with --cors-origins ${origin}.`,
  absent: (server: string) => `No server answers at ${server}. Start it, or give ?server=.`,
  off: "The lab is off on this server, or not for your address. Start it with --lab.",
  over: "Connect over",
  transports: { both: "WebSocket", upgrade: "Polling, then upgrade", polling: "Polling only" },
  reconnect: "Connect again",
  facts: "This connection",
  fact: {
    transport: "Transport",
    upgraded: "Upgraded from polling",
    protocol: "Protocol",
    origin: "Origin of the page",
    host: "Host, as the server sees it",
    scheme: "Scheme and HTTP",
    forwarded: "Forwarded by proxies",
    server: "Server",
  },
  yes: "yes",
  no: "no",
  none: "none",
  trips: "Round trips",
  average: (count: number) => `mean of the last ${count}`,
  counter: "Events by the server itself",
  counterNone: "The first one comes within ten seconds.",
  events: "Events",
  echo: "Echo",
  broadcast: "Send to others too",
  room: "Room",
  message: "Message",
  join: "Join",
  leave: "Leave",
  sendRoom: "Send to the room",
  closeRoom: "Close the room",
  unnamed: "Unnamed message, several arguments",
  json: "JSON message",
  work: "Request that takes a second",
  disconnect: "Let the server disconnect",
  log: "Log",
  clear: "Clear",
  sent: "sent",
  received: "received",
  empty: "Nothing has passed yet.",
};

type Words = typeof en;

const zh: Words = {
  title: "连接实验室",
  about:
    "在传送文字之前，先试试你的页面、代理和网络。每个按钮发送一个事件；日志显示它、它的确认和返回的内容。除非服务器的实验室是公开的，你发给别人的内容只会到达与你同一地址的人。",
  status: {
    connecting: "正在连接……",
    connected: "已连接",
    disconnected: "已断开",
    refused: "来源不被接受",
    absent: "没有服务器",
    off: "实验室已关闭",
  },
  refused: (origin) => `服务器不接受来自 ${origin} 的页面；请用 --cors-origins ${origin} 启动它。`,
  absent: (server) => `${server} 没有服务器应答。请启动它，或给出 ?server=。`,
  off: "此服务器关闭了实验室，或不对你的地址开放。请用 --lab 启动它。",
  over: "连接方式",
  transports: { both: "WebSocket", upgrade: "先轮询再升级", polling: "仅轮询" },
  reconnect: "重新连接",
  facts: "此连接",
  fact: {
    transport: "传输方式",
    upgraded: "由轮询升级",
    protocol: "协议",
    origin: "页面的来源",
    host: "服务器看到的主机",
    scheme: "方案与 HTTP",
    forwarded: "代理转发",
    server: "服务器",
  },
  yes: "是",
  no: "否",
  none: "无",
  trips: "往返时间",
  average: (count) => `最近 ${count} 次的平均值`,
  counter: "服务器主动发送的事件",
  counterNone: "第一个会在十秒内到来。",
  events: "事件",
  echo: "回显",
  broadcast: "也发给别人",
  room: "房间",
  message: "消息",
  join: "加入",
  leave: "离开",
  sendRoom: "发到房间",
  closeRoom: "关闭房间",
  unnamed: "未命名消息，多个参数",
  json: "JSON 消息",
  work: "需要一秒的请求",
  disconnect: "让服务器断开",
  log: "日志",
  clear: "清空",
  sent: "发送",
  received: "收到",
  empty: "还没有任何事件。",
};

export const LAB_WORDS = { en, zh };

export const LabWords = createContext<Words>(en);

export function useLabWords(): Words {
  return useContext(LabWords);
}
