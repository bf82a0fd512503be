/** What the lab shows. Replaced, never changed. */

/** How the connection arrived at the server: the answer to `my_connection`. */
export interface Facts {
  sid: string;
  transport: string;
  upgraded: boolean;
  engineio: number | null;
  socketio: number;
  origin: string | null;
  host: string | null;
  scheme: string | null;
  http: string | null;
  forwarded: { for: string | null; proto: string | null; host: string | null };
  server: string;
}

/** One event, sent or received. */
export interface Entry {
  key: number;
  /** Milliseconds since 1970. */
  at: number;
  sent: boolean;
  event: string;
  data: string;
}

export interface LabState {
  status: "connecting" | "connected" | "disconnected" | "refused" | "absent" | "off";
  /** Of this page's connection now: it changes when it is upgraded. */
  transport: string | undefined;
  facts: Facts | undefined;
  /** Of the last pings, at most 30, in ms. */
  roundTrips: readonly number[];
  /** The last count of the events that the server sends by itself. */
  counter: number | undefined;
  /** The newest first. */
  entries: readonly Entry[];
}

export const ROUND_TRIPS = 30;
const ENTRIES = 200;

export const BEGINNING: LabState = {
  status: "connecting",
  transport: undefined,
  facts: undefined,
  roundTrips: [],
  counter: undefined,
  entries: [],
};

export function withEntry(state: LabState, entry: Omit<Entry, "key">): LabState {
  const key = (state.entries[0]?.key ?? 0) + 1;
  return { ...state, entries: [{ key, ...entry }, ...state.entries].slice(0, ENTRIES) };
}

export function withRoundTrip(state: LabState, ms: number): LabState {
  return { ...state, roundTrips: [...state.roundTrips, ms].slice(-ROUND_TRIPS) };
}

/** The mean; undefined of none. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0
    ? undefined
    : values.reduce((sum, value) => sum + value, 0) / values.length;
}
