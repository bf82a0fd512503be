export * from "../client/protocol";
export type { StreamErrorEvent as StreamError } from "../client/protocol";
